/**
 * Mount options that the kernel carries out, as mount(8) names them.
 *
 * @module
 */
import { UserError } from "../../base/user_error.ts";
import { pathKind } from "../syscall/paths.ts";

// Flags of mount(2): <linux/mount.h>.
const NOSUID = 1 << 1;
const NODEV = 1 << 2;
const NOEXEC = 1 << 3;
const SYNCHRONOUS = 1 << 4;
const DIRSYNC = 1 << 7;
const NOSYMFOLLOW = 1 << 8;
const NOATIME = 1 << 10;
const NODIRATIME = 1 << 11;
const SILENT = 1 << 15;
const RELATIME = 1 << 21;
const I_VERSION = 1 << 23;
const STRICTATIME = 1 << 24;
const LAZYTIME = 1 << 25;
const ATIME = NOATIME | RELATIME | STRICTATIME;

/**
 * What fusermount3 does with an option: it takes it; it does not know it, and
 * the option changes nothing for FUSE, so it is left out; or it refuses it.
 */
type ByFusermount = "takes" | "left out" | "refuses";

/** An option that sets and clears flags of mount(2). */
interface FlagRow {
  readonly clear: number;
  readonly set: number;
  readonly byFusermount: ByFusermount;
}

/**
 * Options that set and clear flags, in the order in which they are listed to
 * users.
 */
export const MOUNT_FLAGS = {
  suid: { clear: NOSUID, set: 0, byFusermount: "refuses" },
  nosuid: { clear: 0, set: NOSUID, byFusermount: "takes" },
  dev: { clear: NODEV, set: 0, byFusermount: "refuses" },
  nodev: { clear: 0, set: NODEV, byFusermount: "takes" },
  exec: { clear: NOEXEC, set: 0, byFusermount: "takes" },
  noexec: { clear: 0, set: NOEXEC, byFusermount: "takes" },
  async: { clear: SYNCHRONOUS, set: 0, byFusermount: "takes" },
  sync: { clear: 0, set: SYNCHRONOUS, byFusermount: "takes" },
  dirsync: { clear: 0, set: DIRSYNC, byFusermount: "takes" },
  symfollow: { clear: NOSYMFOLLOW, set: 0, byFusermount: "left out" },
  nosymfollow: { clear: 0, set: NOSYMFOLLOW, byFusermount: "refuses" },
  atime: { clear: NOATIME, set: 0, byFusermount: "takes" },
  noatime: { clear: ATIME, set: NOATIME, byFusermount: "takes" },
  relatime: { clear: ATIME, set: RELATIME, byFusermount: "left out" },
  norelatime: { clear: RELATIME, set: 0, byFusermount: "left out" },
  strictatime: { clear: ATIME, set: STRICTATIME, byFusermount: "left out" },
  nostrictatime: { clear: STRICTATIME, set: 0, byFusermount: "left out" },
  diratime: { clear: NODIRATIME, set: 0, byFusermount: "left out" },
  nodiratime: { clear: 0, set: NODIRATIME, byFusermount: "left out" },
  lazytime: { clear: 0, set: LAZYTIME, byFusermount: "left out" },
  nolazytime: { clear: LAZYTIME, set: 0, byFusermount: "left out" },
  iversion: { clear: 0, set: I_VERSION, byFusermount: "left out" },
  noiversion: { clear: I_VERSION, set: 0, byFusermount: "left out" },
  silent: { clear: 0, set: SILENT, byFusermount: "left out" },
  loud: { clear: SILENT, set: 0, byFusermount: "left out" },
} as const satisfies Record<string, FlagRow>;

/** Options with a value, which SELinux reads: mount(8). */
export const SELINUX_CONTEXTS: readonly string[] = [
  "context",
  "fscontext",
  "defcontext",
  "rootcontext",
];

/** The name of an option that sets or clears flags. */
type FlagName = keyof typeof MOUNT_FLAGS;

/** How the kernel mounts, besides read-only or not. */
export interface MountFlags {
  /** Flags of mount(2). */
  readonly bits: number;
  /** The options that gave them, each once, without the defaults. */
  readonly names: readonly FlagName[];
  /** SELinux contexts, such as `context=NAME`. */
  readonly contexts: readonly string[];
}

/** The flags without any option. */
const DEFAULT_BITS = NOSUID | NODEV | NOATIME;

/** How the kernel mounts without any option. */
export const DEFAULT_FLAGS: MountFlags = {
  bits: DEFAULT_BITS,
  names: [],
  contexts: [],
};

/**
 * Reads a list of mount options. Of options that exclude each other, the last
 * one counts.
 *
 * @param list Options separated by commas; a comma inside double quotes belongs
 * to the option.
 * @param name Where the list comes from, for the message.
 * @throws {UserError} If an option is none of these.
 */
export function parseMountFlags(list: string, name: string): MountFlags {
  let bits = DEFAULT_BITS;
  const names: FlagName[] = [];
  const contexts: string[] = [];
  for (const option of splitOptions(list)) {
    const row = flagRow(option);
    if (row !== null) {
      bits = bits & ~row.clear | row.set;
      names.push(option as FlagName);
    } else if (isContext(option)) {
      requireSelinux(option, name);
      contexts.push(option);
    } else {
      throw new UserError(refusal(option, name));
    }
  }
  return { bits, names: [...new Set(names)], contexts };
}

/**
 * The options of fusermount3 that say the same, for a user without
 * CAP_SYS_ADMIN.
 *
 * @throws {UserError} If fusermount3 does not allow an option.
 */
export function fusermountFlags(
  { bits, names, contexts }: MountFlags,
): string[] {
  const [refused = contexts[0]] = names.filter((name) =>
    isInForce(name, bits) && MOUNT_FLAGS[name].byFusermount === "refuses"
  );
  if (refused !== undefined) {
    throw new UserError(
      `Cannot mount with the option ${refused}: only root may use it; leave it out, or run as root`,
    );
  }
  const all = Object.keys(MOUNT_FLAGS) as FlagName[];
  return all.filter((name) =>
    isInForce(name, bits) && MOUNT_FLAGS[name].byFusermount === "takes"
  );
}

/** Splits at commas outside of double quotes; empty options are left out. */
function splitOptions(list: string): string[] {
  return list.match(/(?:[^,"]|"[^"]*"?)+/g) ?? [];
}

function flagRow(option: string): FlagRow | null {
  return Object.hasOwn(MOUNT_FLAGS, option)
    ? MOUNT_FLAGS[option as FlagName]
    : null;
}

function isInForce(name: FlagName, bits: number): boolean {
  const { clear, set } = MOUNT_FLAGS[name];
  return set === 0 ? (bits & clear) === 0 : (bits & set) !== 0;
}

function isContext(option: string): boolean {
  return SELINUX_CONTEXTS.some((each) => option.startsWith(`${each}=`));
}

function requireSelinux(option: string, name: string): void {
  if (pathKind("/sys/fs/selinux/enforce") !== "missing") return;
  throw new UserError(
    `Cannot use ${option} (${name}): SELinux is not enabled on this machine; leave it out`,
  );
}

function refusal(option: string, name: string): string {
  const what = `Cannot use ${option} (${name}):`;
  if (option === "ro" || option === "rw") {
    return `${what} an export is read-only unless --writable is given; leave it out`;
  }
  const known = [
    ...Object.keys(MOUNT_FLAGS),
    ...SELINUX_CONTEXTS.map((each) => `${each}=NAME`),
  ];
  return `${what} expected options of mount(8) out of ${known.join(", ")}`;
}
