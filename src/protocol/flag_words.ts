/**
 * Which field holds which flags, for traces and docs/PROTOCOL.md.
 *
 * @module
 */
import { FUSE_URING, FUSE_URING_ENT } from "./device.ts";
import {
  CUSE_INIT,
  FATTR,
  FOPEN,
  FUSE_ATTR,
  FUSE_EXT,
  FUSE_FSYNC,
  FUSE_GETATTR,
  FUSE_IOCTL,
  FUSE_LK,
  FUSE_NOTIFY_INVAL_ENTRY,
  FUSE_OPEN,
  FUSE_POLL,
  FUSE_READ,
  FUSE_RELEASE,
  FUSE_SETUPMAPPING,
  FUSE_SETXATTR,
  FUSE_WRITE,
  INIT_FLAGS,
} from "./flags.ts";
import { FALLOC_FL, O, SEEK, STATX } from "../base/file_flags.ts";
import type { StructName } from "./types.ts";

/**
 * A word of flags, or of values that exclude each other.
 *
 * @category Flags and constants
 */
export interface FlagWord {
  /** The kernel's prefix of the names, such as `FOPEN_`. */
  readonly prefix: string;
  /** Values by name, without the prefix. */
  readonly values: { readonly [name: string]: number };
  /** The minor version that introduced a value; those of 7.1 are left out. */
  readonly since?: { readonly [name: string]: number };
  /** The fields that hold it, each `struct.field`. */
  readonly fields: readonly string[];
  /** Whether the values exclude each other. */
  readonly choice?: true;
}

/** One word of INIT's flags: 32 bits from bit `first`. */
function initWord(first: number): Pick<FlagWord, "values" | "since"> {
  const word = Object.entries(INIT_FLAGS)
    .filter(([, { bit }]) => bit >= first && bit < first + 32);
  return {
    values: Object.fromEntries(
      word.map(([name, { bit }]) => [name, 2 ** (bit - first)]),
    ),
    since: Object.fromEntries(word.map(([name, { since }]) => [name, since])),
  };
}

/** Every word of flags. */
export const FLAG_WORDS: readonly FlagWord[] = [
  {
    prefix: "FUSE_",
    ...initWord(0),
    fields: ["fuse_init_in.flags", "fuse_init_out.flags"],
  },
  {
    prefix: "FUSE_",
    ...initWord(32),
    fields: ["fuse_init_in.flags2", "fuse_init_out.flags2"],
  },
  {
    prefix: "FOPEN_",
    values: FOPEN,
    since: {
      DIRECT_IO: 2,
      KEEP_CACHE: 2,
      NONSEEKABLE: 10,
      CACHE_DIR: 28,
      STREAM: 31,
      NOFLUSH: 35,
      PARALLEL_DIRECT_WRITES: 38,
      PASSTHROUGH: 40,
      IO_URING_ZERO_COPY: 46,
    },
    fields: ["fuse_open_out.open_flags"],
  },
  {
    prefix: "FUSE_OPEN_",
    values: FUSE_OPEN,
    since: { KILL_SUIDGID: 33 },
    fields: ["fuse_open_in.open_flags", "fuse_create_in.open_flags"],
  },
  {
    prefix: "FATTR_",
    values: FATTR,
    since: {
      FH: 3,
      ATIME_NOW: 9,
      MTIME_NOW: 9,
      LOCKOWNER: 9,
      CTIME: 23,
      KILL_SUIDGID: 33,
    },
    fields: ["fuse_setattr_in.valid"],
  },
  {
    prefix: "FUSE_GETATTR_",
    values: FUSE_GETATTR,
    since: { FH: 9 },
    fields: ["fuse_getattr_in.getattr_flags", "fuse_statx_in.getattr_flags"],
  },
  {
    prefix: "FUSE_RELEASE_",
    values: FUSE_RELEASE,
    since: { FLUSH: 8, FLOCK_UNLOCK: 17 },
    fields: ["fuse_release_in.release_flags"],
  },
  {
    prefix: "FUSE_READ_",
    values: FUSE_READ,
    since: { LOCKOWNER: 9 },
    fields: ["fuse_read_in.read_flags"],
  },
  {
    prefix: "FUSE_WRITE_",
    values: FUSE_WRITE,
    since: { CACHE: 9, LOCKOWNER: 9, KILL_SUIDGID: 31 },
    fields: ["fuse_write_in.write_flags"],
  },
  {
    prefix: "FUSE_FSYNC_",
    values: FUSE_FSYNC,
    fields: ["fuse_fsync_in.fsync_flags"],
  },
  {
    prefix: "FUSE_LK_",
    values: FUSE_LK,
    since: { FLOCK: 9 },
    fields: ["fuse_lk_in.lk_flags"],
  },
  {
    prefix: "FUSE_ATTR_",
    values: FUSE_ATTR,
    since: { SUBMOUNT: 32, DAX: 36 },
    fields: ["fuse_attr.flags"],
  },
  {
    prefix: "FUSE_SETXATTR_",
    values: FUSE_SETXATTR,
    since: { ACL_KILL_SGID: 33 },
    fields: ["fuse_setxattr_in.setxattr_flags"],
  },
  {
    prefix: "FUSE_IOCTL_",
    values: FUSE_IOCTL,
    since: {
      COMPAT: 11,
      UNRESTRICTED: 11,
      RETRY: 11,
      IOCTL_32BIT: 16,
      DIR: 18,
      COMPAT_X32: 30,
    },
    fields: ["fuse_ioctl_in.flags", "fuse_ioctl_out.flags"],
  },
  {
    prefix: "FUSE_POLL_",
    values: FUSE_POLL,
    since: { SCHEDULE_NOTIFY: 11 },
    fields: ["fuse_poll_in.flags"],
  },
  {
    prefix: "FUSE_",
    values: FUSE_NOTIFY_INVAL_ENTRY,
    since: { EXPIRE_ONLY: 38 },
    fields: ["fuse_notify_inval_entry_out.flags"],
  },
  {
    prefix: "FUSE_SETUPMAPPING_FLAG_",
    values: FUSE_SETUPMAPPING,
    since: { WRITE: 31, READ: 31 },
    fields: ["fuse_setupmapping_in.flags"],
  },
  {
    prefix: "CUSE_",
    values: CUSE_INIT,
    since: { UNRESTRICTED_IOCTL: 12 },
    fields: ["cuse_init_in.flags", "cuse_init_out.flags"],
  },
  {
    prefix: "FUSE_URING_",
    values: FUSE_URING,
    since: { ZERO_COPY: 46 },
    fields: ["fuse_uring_cmd_req.flags"],
  },
  {
    prefix: "FUSE_URING_ENT_",
    values: FUSE_URING_ENT,
    since: { ZERO_COPY: 46 },
    fields: ["fuse_uring_ent_in_out.flags"],
  },
  {
    prefix: "FUSE_EXT_",
    values: { GROUPS: FUSE_EXT.GROUPS },
    since: { GROUPS: 38 },
    fields: ["fuse_ext_header.type"],
    choice: true,
  },
  {
    prefix: "STATX_",
    values: STATX,
    since: Object.fromEntries(Object.keys(STATX).map((name) => [name, 39])),
    fields: ["fuse_statx_in.sx_mask", "fuse_statx.mask"],
  },
  {
    prefix: "SEEK_",
    values: SEEK,
    fields: ["fuse_lseek_in.whence"],
    choice: true,
  },
  {
    prefix: "FALLOC_FL_",
    values: FALLOC_FL,
    fields: ["fuse_fallocate_in.mode"],
  },
  {
    prefix: "O_",
    values: O,
    fields: [
      "fuse_open_in.flags",
      "fuse_create_in.flags",
      "fuse_release_in.flags",
      "fuse_read_in.flags",
      "fuse_write_in.flags",
    ],
  },
];

const BY_FIELD = new Map(
  FLAG_WORDS.flatMap((word) => word.fields.map((field) => [field, word])),
);

/**
 * The word of flags that a field holds, `undefined` for a field without flags.
 *
 * @category Flags and constants
 */
export function flagWordOf(
  struct: StructName,
  field: string,
): FlagWord | undefined {
  return BY_FIELD.get(`${struct}.${field}`);
}

/**
 * The names of the flags that are set; bits without a name come last, as one
 * hexadecimal number.
 *
 * @category Flags and constants
 * @example Name the flags of a reply to OPEN
 * ```ts
 * import { flagNames, flagWordOf } from "@mqfuse/mqfuse/protocol";
 * import { assertEquals } from "@std/assert";
 *
 * const word = flagWordOf("fuse_open_out", "open_flags")!;
 * assertEquals(flagNames(word, 0x803), ["DIRECT_IO", "KEEP_CACHE", "0x800"]);
 * ```
 */
export function flagNames(word: FlagWord, value: number | bigint): string[] {
  const { values } = word;
  let rest = BigInt(value);
  if (word.choice) {
    const name = Object.keys(values).find((key) =>
      values[key] === Number(rest)
    );
    return [name ?? `0x${rest.toString(16)}`];
  }
  const names: string[] = [];
  if (values === O) {
    names.push(["RDONLY", "WRONLY", "RDWR", "ACCMODE"][Number(rest & 3n)]!);
    rest &= ~3n;
  }
  for (const [name, number] of Object.entries(values)) {
    const bits = BigInt(number);
    if (bits === 0n || (rest & bits) !== bits) continue;
    if (values === O && bits <= 3n) continue;
    names.push(name);
    rest &= ~bits;
  }
  if (rest !== 0n) names.push(`0x${rest.toString(16)}`);
  return names;
}
