import {
  initFlag,
  initFlagNames,
  type OfferedCapabilities,
} from "../protocol/init.ts";
import type { InitFlagName } from "../protocol/flags.ts";
import {
  credentials,
  findExecutable,
  hasCapSysAdmin,
  kernelRelease,
} from "../linux/syscall/process.ts";
import {
  type FuseParameters,
  fuseParameters,
} from "../linux/fuse/fuse_parameters.ts";
import { usersMayAllowOther } from "../linux/mount/fusermount.ts";
import type { Command } from "./command.ts";
import { EXIT, type ExitCode } from "./exit_code.ts";
import { askKernel, type KernelOffer } from "./kernel_offer.ts";
import type { Arguments } from "./options.ts";
import type { Output } from "./output.ts";
import { UsageError } from "./usage_error.ts";

/** `info`: what can be done here. */
export const INFO: Command = {
  name: "info",
  summary: "tell what this kernel and this user can do",
  description:
    "Tells what this kernel offers to a FUSE server and what this user may do with it, and why not where something is not possible. Nothing is mounted for that.",
  operands: {},
  options: ["json"],
  examples: {
    "info": "look whether this machine can export images",
    "info --json": "the same as one line of JSON",
  },
  run: runInfo,
};

/** What `info` found out. */
export interface InfoFacts extends KernelOffer, FuseParameters {
  /** Deno's version. */
  readonly deno: string;
  /** The kernel's release. */
  readonly kernel: string;
  /** The user whose permissions count. */
  readonly uid: number;
  /** Whether this process has CAP_SYS_ADMIN, so that it can mount by itself. */
  readonly capSysAdmin: boolean;
  /** Where fusermount3 is, by which others mount, if anywhere. */
  readonly fusermount3: string | null;
  /** Whether /etc/fuse.conf lets users who are not root let others in. */
  readonly userAllowOther: boolean;
}

const UNKNOWN = "unknown: the kernel could not be asked";

async function runInfo(
  { operands }: Arguments,
  output: Output,
): Promise<ExitCode> {
  if (operands[0] !== undefined) {
    throw new UsageError(
      `Cannot make sense of ${operands[0]}: info needs nothing`,
    );
  }
  const facts: InfoFacts = {
    deno: Deno.version.deno,
    kernel: kernelRelease(),
    uid: credentials().effectiveUid,
    ...await askKernel(),
    capSysAdmin: hasCapSysAdmin(),
    fusermount3: findExecutable("fusermount3") ?? findExecutable("fusermount"),
    userAllowOther: usersMayAllowOther(),
    ...fuseParameters(),
  };
  if (output.json) output.event("info", infoEvent(facts));
  else for (const line of infoLines(facts)) output.print(line);
  return EXIT.OK;
}

/** What `info` prints for programs. */
export function infoEvent(facts: InfoFacts): Record<string, unknown> {
  const { offered, device, ...rest } = facts;
  const asked = typeof offered !== "string";
  return {
    ...rest,
    canMount: canMount(facts),
    device: { usable: device === null, reason: device },
    protocol: asked ? { major: offered.major, minor: offered.minor } : null,
    flags: asked ? initFlagNames(offered.flags) : null,
    uring: asked ? isOffered(offered, "OVER_IO_URING") : null,
    passthrough: asked ? isOffered(offered, "PASSTHROUGH") : null,
    reason: asked ? null : offered,
  };
}

/** What `info` prints for people: what, and how it is. */
export function infoLines(facts: InfoFacts): string[] {
  const { uid, capSysAdmin, device, fusermount3 } = facts;
  const rows: [string, string][] = [
    ["Deno", facts.deno],
    ["Linux", facts.kernel],
    ["User", uid === 0 ? "root" : `uid ${uid}`],
    ["CAP_SYS_ADMIN", capSysAdmin ? "yes" : "no, so fusermount3 has to mount"],
    ["/dev/fuse", device ?? "can be opened"],
    ["FUSE protocol", protocolText(facts)],
    ["fusermount3", fusermount3 ?? "not found (not needed for root)"],
    ["Allow-other", allowOtherText(facts)],
    ["Largest request", pagesText(facts.maxPagesLimit)],
    ["Background requests", backgroundText(facts.maxUserBackground)],
    ["io_uring", uringText(facts)],
    ["Passthrough", passthroughText(facts)],
    ["Exports", exportsText(facts)],
  ];
  const width = Math.max(...rows.map(([what]) => what.length));
  return rows.map(([what, how]) => `${what.padEnd(width)}  ${how}`);
}

function canMount({ capSysAdmin, fusermount3, device }: InfoFacts): boolean {
  return (capSysAdmin || fusermount3 !== null) && device === null;
}

function allowOtherText({ capSysAdmin, userAllowOther }: InfoFacts): string {
  if (capSysAdmin || userAllowOther) return "possible";
  return "only for root: there is no line 'user_allow_other' in /etc/fuse.conf";
}

function exportsText(facts: InfoFacts): string {
  const { capSysAdmin, device } = facts;
  if (canMount(facts)) {
    return capSysAdmin ? "possible" : "possible, by fusermount3";
  }
  const what = device === null ? "root or fusermount3" : "/dev/fuse";
  return `not possible without ${what}; 'demo' runs on a simulated kernel`;
}

function protocolText({ device, offered }: InfoFacts): string {
  if (typeof offered !== "string") return `${offered.major}.${offered.minor}`;
  return device === null ? `unknown: ${offered}` : UNKNOWN;
}

function pagesText(pages: number | null): string {
  return pages === null
    ? "1 MiB (this kernel has no max_pages_limit)"
    : `${pages} pages (fs.fuse.max_pages_limit)`;
}

function backgroundText(count: number | null): string {
  return count === null
    ? "unknown"
    : `at most ${count} without CAP_SYS_ADMIN (max_user_bgreq)`;
}

function uringText({ offered, enableUring }: InfoFacts): string {
  if (enableUring === null) {
    return "not offered: this kernel has no FUSE over io_uring";
  }
  return enableUring
    ? offeredText(offered, "OVER_IO_URING")
    : "not offered: root can switch it on with 'echo Y > /sys/module/fuse/parameters/enable_uring'";
}

function passthroughText({ offered, capSysAdmin }: InfoFacts): string {
  const text = offeredText(offered, "PASSTHROUGH");
  return text === "offered" && !capSysAdmin
    ? "offered, but it needs CAP_SYS_ADMIN"
    : text;
}

function offeredText(
  offered: OfferedCapabilities | string,
  name: InitFlagName,
): string {
  if (typeof offered === "string") return UNKNOWN;
  return isOffered(offered, name) ? "offered" : "not offered by this kernel";
}

function isOffered(
  { flags }: OfferedCapabilities,
  name: InitFlagName,
): boolean {
  return (flags & initFlag(name)) !== 0n;
}
