/**
 * The attributes of files by statx(2), whose struct is the same on every
 * architecture.
 *
 * @module
 */

import { S_IF, STATX_BASIC_STATS } from "../../base/file_flags.ts";
import { timeOf } from "../../base/timespec.ts";
import { errno, libc } from "../syscall/libc.ts";
import { inPool } from "./pool.ts";
import { AT_FDCWD } from "./descriptor.ts";
import { cString } from "./ffi_values.ts";

/** The kind of a file, by the type bits of its mode: inode(7). */
export type FileKind =
  | "file"
  | "directory"
  | "symlink"
  | "block"
  | "character"
  | "fifo"
  | "socket"
  | "unknown";

/** The attributes of a file. */
export interface FileStatus {
  /** The type bits of `mode`. */
  readonly kind: FileKind;
  /** `stx_mode`: type and permission bits. */
  readonly mode: number;
  /** `stx_nlink`: the number of hard links. */
  readonly links: number;
  /** `stx_uid`: the owner. */
  readonly uid: number;
  /** `stx_gid`: the group. */
  readonly gid: number;
  /** `stx_size`. Bytes. */
  readonly size: number;
  /** `stx_blocks`. Units of 512 bytes. */
  readonly blocks: number;
  /** `stx_blksize`. Bytes. */
  readonly blockSize: number;
  /**
   * `stx_dio_offset_align`. The alignment of positions and lengths in direct
   * I/O; 0 if the file has no direct I/O, `null` if the kernel does not say.
   */
  readonly directAlignment: number | null;
  /** `stx_atime`. Nanoseconds since 1970. */
  readonly atime: bigint;
  /** `stx_mtime`. Nanoseconds since 1970. */
  readonly mtime: bigint;
  /** `stx_ctime`. Nanoseconds since 1970. */
  readonly ctime: bigint;
  /** `stx_ino`. */
  readonly inode: bigint;
  /** `stx_dev_major` and `stx_dev_minor`, such as `254:0`. */
  readonly device: string;
}

/** Flags of statx(2) and its relatives, ORed. */
export const AT = {
  /** Do not follow a symbolic link. */
  SYMLINK_NOFOLLOW: 0x100,
  /** unlinkat(2): remove a directory. */
  REMOVEDIR: 0x200,
  /** linkat(2): follow a symbolic link. */
  SYMLINK_FOLLOW: 0x400,
  /** Do not trigger an automount. */
  NO_AUTOMOUNT: 0x800,
  /** With an empty path: use the directory descriptor itself. */
  EMPTY_PATH: 0x1000,
  /** Ask the server of a network or FUSE file system. */
  STATX_FORCE_SYNC: 0x2000,
  /** Do not ask the server of a network or FUSE file system. */
  STATX_DONT_SYNC: 0x4000,
} as const;

const KINDS: ReadonlyMap<number, FileKind> = new Map([
  [S_IF.REG, "file"],
  [S_IF.DIR, "directory"],
  [S_IF.LNK, "symlink"],
  [S_IF.BLK, "block"],
  [S_IF.CHR, "character"],
  [S_IF.FIFO, "fifo"],
  [S_IF.SOCK, "socket"],
]);

const STATX_DIOALIGN = 0x2000;
const WANTED = STATX_BASIC_STATS | STATX_DIOALIGN;
const STRUCT_STATX_SIZE = 256;

// Shared by all calls in this thread: each decodes it before it returns.
const result = new DataView(new ArrayBuffer(STRUCT_STATX_SIZE));
const EMPTY_PATH = new Uint8Array(new ArrayBuffer(1));

/**
 * The attributes of the file at a path.
 *
 * @param directory The directory of a relative path, or AT_FDCWD.
 * @param path A path.
 * @param flags {@linkcode AT} values, ORed.
 * @returns The attributes, or a negative errno.
 */
export function statx(
  directory: number,
  path: string,
  flags: number,
): FileStatus | number {
  return call(directory, cString(path), flags);
}

/**
 * Makes the kernel fetch the attributes of a file from the server of its file
 * system, in a thread of Deno's pool. Resolves when the server has answered,
 * also with an error.
 *
 * @param path An absolute path.
 */
export async function fetchAttributes(path: string): Promise<void> {
  const name = cString(path);
  const bytes = new Uint8Array(new ArrayBuffer(STRUCT_STATX_SIZE));
  const flags = AT.STATX_FORCE_SYNC;
  await inPool(
    () => libc().statx_nonblocking(AT_FDCWD, name, flags, WANTED, bytes),
    () => libc().statx(AT_FDCWD, name, flags, WANTED, bytes),
  );
  // Keeps the memory alive until the call has returned.
  name.fill(0);
  bytes.fill(0);
}

/**
 * The attributes of the file that a descriptor is open on.
 *
 * @param fd The descriptor, O_PATH or not.
 * @param flags {@linkcode AT} values, ORed.
 * @returns The attributes, or a negative errno.
 */
export function statxDescriptor(
  fd: number,
  flags: number = 0,
): FileStatus | number {
  return call(fd, EMPTY_PATH, flags | AT.EMPTY_PATH);
}

/**
 * As {@linkcode statxDescriptor}, in a thread of Deno's pool: for a file system
 * whose server may not answer.
 */
export async function statxDescriptorLater(
  fd: number,
): Promise<FileStatus | number> {
  const own = new DataView(new ArrayBuffer(STRUCT_STATX_SIZE));
  const flags = AT.EMPTY_PATH;
  const failed = await inPool(
    () => libc().statx_nonblocking(fd, EMPTY_PATH, flags, WANTED, own),
    () => -1,
  );
  // The errno is lost. The call fails in the same way, without a wait.
  return failed < 0 ? statxDescriptor(fd) : decode(own);
}

/**
 * The kind of a file by its mode.
 *
 * @param mode Type bits, with or without permission bits.
 */
export function fileKind(mode: number): FileKind {
  return KINDS.get(mode & S_IF.MT) ?? "unknown";
}

function call(
  directory: number,
  path: Uint8Array<ArrayBuffer>,
  flags: number,
): FileStatus | number {
  const failed = libc().statx(
    directory,
    path,
    flags,
    WANTED,
    result,
  );
  return failed < 0 ? -errno() : decode(result);
}

// struct statx of <linux/stat.h>.
function decode(result: DataView): FileStatus {
  const mode = result.getUint16(28, true);
  return {
    kind: fileKind(mode),
    mode,
    links: result.getUint32(16, true),
    uid: result.getUint32(20, true),
    gid: result.getUint32(24, true),
    size: Number(result.getBigUint64(40, true)),
    blocks: Number(result.getBigUint64(48, true)),
    blockSize: result.getUint32(4, true),
    directAlignment: (result.getUint32(0, true) & STATX_DIOALIGN) === 0
      ? null
      : result.getUint32(156, true),
    atime: nanoseconds(result, 64),
    mtime: nanoseconds(result, 112),
    ctime: nanoseconds(result, 96),
    inode: result.getBigUint64(32, true),
    device: `${result.getUint32(136, true)}:${result.getUint32(140, true)}`,
  };
}

// struct statx_timestamp { __s64 tv_sec; __u32 tv_nsec; }
function nanoseconds(result: DataView, offset: number): bigint {
  const seconds = result.getBigInt64(offset, true);
  return timeOf(seconds, result.getUint32(offset + 8, true));
}
