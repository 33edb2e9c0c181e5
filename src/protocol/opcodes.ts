/**
 * Every request of the FUSE protocol, one row per opcode.
 *
 * @module
 */
import type { StructName } from "./types.ts";

/**
 * What follows a request's fixed struct:
 *
 * - `name`: one name, NUL-terminated.
 * - `name name`: two names.
 * - `name value`: a name, and as many bytes as the fixed struct's `size` says.
 * - `data`: as many bytes as the fixed struct's `size` (`in_size`) says.
 * - `items`: as many of the row's `items` as the fixed struct's `count` says.
 *
 * @category Requests by opcode
 */
export type RequestTail =
  | "name"
  | "name name"
  | "name value"
  | "data"
  | "items";

/**
 * What follows a reply's fixed structs:
 *
 * - `data`: up to as many bytes as the request's `size` says.
 * - `string`: a symlink's target without NUL, at most a page.
 * - `dirents`, `direntplus`: entries, each padded to 8 bytes.
 * - `value`: up to `size` bytes, or `fuse_getxattr_out` if `size` is 0.
 * - `ioctl`: bytes, or `fuse_ioctl_iovec` items to request a retry.
 * - `info`: `DEVNAME=` and a name, NUL-terminated, at most a page.
 *
 * @category Requests by opcode
 */
export type ReplyTail =
  | "data"
  | "string"
  | "dirents"
  | "direntplus"
  | "value"
  | "ioctl"
  | "info";

/**
 * One row of the table of requests.
 *
 * @category Requests by opcode
 */
export interface OpcodeRow {
  /** The number on the wire. */
  readonly opcode: number;
  /** The fixed struct after the header, if any. */
  readonly in?: StructName;
  /** What follows it; nothing if left out. */
  readonly tail?: RequestTail;
  /** The struct of each item, where the tail is `items`. */
  readonly items?: StructName;
  /** Whether extensions, `total_extlen` of the header, may follow. */
  readonly extensions?: true;
  /** The fixed structs of the reply in order; none if left out. */
  readonly out?: readonly StructName[];
  /** What follows them; nothing if left out. */
  readonly outTail?: ReplyTail;
  /** The request has no reply. */
  readonly noReply?: true;
  /** The reply is optional and can only be an error. */
  readonly optionalReply?: true;
  /** The minor version that introduced the request; those of 7.0 lack it. */
  readonly since?: number;
}

/**
 * Every request, by the kernel's name without `FUSE_`.
 *
 * @category Requests by opcode
 */
export const OPCODES = {
  LOOKUP: { opcode: 1, tail: "name", out: ["fuse_entry_out"] },
  FORGET: { opcode: 2, in: "fuse_forget_in", noReply: true },
  GETATTR: { opcode: 3, in: "fuse_getattr_in", out: ["fuse_attr_out"] },
  SETATTR: {
    opcode: 4,
    in: "fuse_setattr_in",
    out: ["fuse_attr_out"],
    since: 1,
  },
  READLINK: { opcode: 5, outTail: "string" },
  SYMLINK: {
    opcode: 6,
    tail: "name name",
    extensions: true,
    out: ["fuse_entry_out"],
    since: 1,
  },
  MKNOD: {
    opcode: 8,
    in: "fuse_mknod_in",
    tail: "name",
    extensions: true,
    out: ["fuse_entry_out"],
    since: 1,
  },
  MKDIR: {
    opcode: 9,
    in: "fuse_mkdir_in",
    tail: "name",
    extensions: true,
    out: ["fuse_entry_out"],
    since: 1,
  },
  UNLINK: { opcode: 10, tail: "name", since: 1 },
  RMDIR: { opcode: 11, tail: "name", since: 1 },
  RENAME: { opcode: 12, in: "fuse_rename_in", tail: "name name", since: 1 },
  LINK: {
    opcode: 13,
    in: "fuse_link_in",
    tail: "name",
    out: ["fuse_entry_out"],
    since: 1,
  },
  OPEN: { opcode: 14, in: "fuse_open_in", out: ["fuse_open_out"], since: 1 },
  READ: { opcode: 15, in: "fuse_read_in", outTail: "data", since: 1 },
  WRITE: {
    opcode: 16,
    in: "fuse_write_in",
    tail: "data",
    out: ["fuse_write_out"],
    since: 1,
  },
  STATFS: { opcode: 17, out: ["fuse_statfs_out"] },
  RELEASE: { opcode: 18, in: "fuse_release_in", since: 1 },
  FSYNC: { opcode: 20, in: "fuse_fsync_in", since: 1 },
  SETXATTR: {
    opcode: 21,
    in: "fuse_setxattr_in",
    tail: "name value",
    since: 1,
  },
  GETXATTR: {
    opcode: 22,
    in: "fuse_getxattr_in",
    tail: "name",
    outTail: "value",
    since: 1,
  },
  LISTXATTR: { opcode: 23, in: "fuse_getxattr_in", outTail: "value", since: 1 },
  REMOVEXATTR: { opcode: 24, tail: "name", since: 1 },
  FLUSH: { opcode: 25, in: "fuse_flush_in", since: 1 },
  INIT: { opcode: 26, in: "fuse_init_in", out: ["fuse_init_out"] },
  OPENDIR: { opcode: 27, in: "fuse_open_in", out: ["fuse_open_out"], since: 1 },
  READDIR: { opcode: 28, in: "fuse_read_in", outTail: "dirents", since: 1 },
  RELEASEDIR: { opcode: 29, in: "fuse_release_in", since: 1 },
  FSYNCDIR: { opcode: 30, in: "fuse_fsync_in", since: 2 },
  GETLK: { opcode: 31, in: "fuse_lk_in", out: ["fuse_lk_out"], since: 7 },
  SETLK: { opcode: 32, in: "fuse_lk_in", since: 7 },
  SETLKW: { opcode: 33, in: "fuse_lk_in", since: 7 },
  ACCESS: { opcode: 34, in: "fuse_access_in", since: 3 },
  CREATE: {
    opcode: 35,
    in: "fuse_create_in",
    tail: "name",
    extensions: true,
    out: ["fuse_entry_out", "fuse_open_out"],
    since: 3,
  },
  INTERRUPT: {
    opcode: 36,
    in: "fuse_interrupt_in",
    optionalReply: true,
    since: 7,
  },
  BMAP: { opcode: 37, in: "fuse_bmap_in", out: ["fuse_bmap_out"], since: 8 },
  DESTROY: { opcode: 38, since: 8 },
  IOCTL: {
    opcode: 39,
    in: "fuse_ioctl_in",
    tail: "data",
    out: ["fuse_ioctl_out"],
    outTail: "ioctl",
    since: 11,
  },
  POLL: { opcode: 40, in: "fuse_poll_in", out: ["fuse_poll_out"], since: 11 },
  NOTIFY_REPLY: {
    opcode: 41,
    in: "fuse_notify_retrieve_in",
    tail: "data",
    noReply: true,
    since: 15,
  },
  BATCH_FORGET: {
    opcode: 42,
    in: "fuse_batch_forget_in",
    tail: "items",
    items: "fuse_forget_one",
    noReply: true,
    since: 16,
  },
  FALLOCATE: { opcode: 43, in: "fuse_fallocate_in", since: 19 },
  READDIRPLUS: {
    opcode: 44,
    in: "fuse_read_in",
    outTail: "direntplus",
    since: 21,
  },
  RENAME2: { opcode: 45, in: "fuse_rename2_in", tail: "name name", since: 23 },
  LSEEK: {
    opcode: 46,
    in: "fuse_lseek_in",
    out: ["fuse_lseek_out"],
    since: 24,
  },
  COPY_FILE_RANGE: {
    opcode: 47,
    in: "fuse_copy_file_range_in",
    out: ["fuse_write_out"],
    since: 28,
  },
  SETUPMAPPING: { opcode: 48, in: "fuse_setupmapping_in", since: 31 },
  REMOVEMAPPING: {
    opcode: 49,
    in: "fuse_removemapping_in",
    tail: "items",
    items: "fuse_removemapping_one",
    since: 31,
  },
  SYNCFS: { opcode: 50, in: "fuse_syncfs_in", since: 34 },
  TMPFILE: {
    opcode: 51,
    in: "fuse_create_in",
    tail: "name",
    extensions: true,
    out: ["fuse_entry_out", "fuse_open_out"],
    since: 37,
  },
  STATX: {
    opcode: 52,
    in: "fuse_statx_in",
    out: ["fuse_statx_out"],
    since: 39,
  },
  COPY_FILE_RANGE_64: {
    opcode: 53,
    in: "fuse_copy_file_range_in",
    out: ["fuse_copy_file_range_out"],
    since: 45,
  },
  CUSE_INIT: {
    opcode: 4096,
    in: "cuse_init_in",
    out: ["cuse_init_out"],
    outTail: "info",
    since: 12,
  },
} as const satisfies Record<string, OpcodeRow>;

/**
 * The name of a request.
 *
 * @category Requests by opcode
 */
export type OpcodeName = keyof typeof OPCODES;

// Without holes: V8 turns arrays with large holes into hash tables.
const names: (OpcodeName | undefined)[] = new Array(4097).fill(undefined);
const rows: (OpcodeRow | undefined)[] = new Array(4097).fill(undefined);
for (const [name, row] of Object.entries(OPCODES)) {
  names[row.opcode] = name as OpcodeName;
  rows[row.opcode] = row;
}

/**
 * The name of an opcode, `undefined` if the table has no such opcode.
 *
 * @category Requests by opcode
 * @param opcode The number on the wire.
 */
export function opcodeName(opcode: number): OpcodeName | undefined {
  return names[opcode];
}

/**
 * The row of an opcode, `undefined` if the table has no such opcode.
 *
 * @category Requests by opcode
 * @example Look up what a request looks like
 * ```ts
 * import { opcodeRow, OPCODES } from "@mqfuse/mqfuse/protocol";
 * import { assertEquals } from "@std/assert";
 *
 * const row = opcodeRow(OPCODES.RENAME2.opcode);
 * assertEquals(row?.in, "fuse_rename2_in");
 * assertEquals(row?.tail, "name name");
 * ```
 *
 * @param opcode The number on the wire.
 */
export function opcodeRow(opcode: number): OpcodeRow | undefined {
  return rows[opcode];
}
