/**
 * statx(2): what a file is, in a layout that is the same on every machine.
 *
 * @module
 */

import { cString } from "./ffi_values.ts";
import { S_IF, STATX_BASIC_STATS } from "../../base/file_flags.ts";
import { timeOf } from "../../base/timespec.ts";
import { errno, libc } from "../syscall/libc.ts";

/** What a file is, by the type bits of its mode: inode(7). */
export type FileKind =
  | "file"
  | "directory"
  | "symlink"
  | "block"
  | "character"
  | "fifo"
  | "socket"
  | "unknown";

/** What statx(2) tells of a file. */
export interface FileStatus {
  /** The type bits of `mode`. */
  readonly kind: FileKind;
  /** `stx_mode`: type and permission bits. */
  readonly mode: number;
  /** `stx_size`. Bytes. */
  readonly size: number;
  /** `stx_blocks`. Units of 512 bytes. */
  readonly blocks: number;
  /** `stx_blksize`. Bytes. */
  readonly blockSize: number;
  /**
   * `stx_dio_offset_align`. What positions and lengths in direct I/O are
   * multiples of; 0 if it is not to be had, `null` if the kernel does not tell.
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

/** Flags of statx(2), ORed. */
export const AT = {
  /** A symbolic link at the end is not followed. */
  SYMLINK_NOFOLLOW: 0x100,
  /** Nothing is mounted by the look-up. */
  NO_AUTOMOUNT: 0x800,
  /** With an empty path: the descriptor itself. */
  EMPTY_PATH: 0x1000,
  /** A file system's server must be asked. */
  STATX_FORCE_SYNC: 0x2000,
  /** A file system's server must not be asked. */
  STATX_DONT_SYNC: 0x4000,
} as const;

const KINDS: ReadonlyMap<number, FileKind> = new Map([
  [S_IF.REG, "file"],
  [S_IF.DIR, "directory"],
  [S_IF.LNK, "symlink"],
  [S_IF.BLK, "block"],
  [S_IF.CHR, "character"],
  [S_IF.IFO, "fifo"],
  [S_IF.SOCK, "socket"],
]);

const STATX_DIOALIGN = 0x2000;
const STRUCT_STATX_SIZE = 256;

// One for all calls of this thread: what is in it is taken out before the next.
const result = new DataView(new ArrayBuffer(STRUCT_STATX_SIZE));
const EMPTY_PATH = new Uint8Array(new ArrayBuffer(1));

/**
 * statx(2) of a path.
 *
 * @param directory A descriptor that a relative path starts from, or AT_FDCWD.
 * @param path A path.
 * @param flags {@linkcode AT} values, ORed.
 * @returns A negative errno if it failed.
 */
export function statx(
  directory: number,
  path: string,
  flags: number,
): FileStatus | number {
  return call(directory, cString(path), flags);
}

/**
 * statx(2) of a descriptor.
 *
 * @param fd The descriptor; one of O_PATH will do.
 * @param flags {@linkcode AT} values, ORed.
 * @returns A negative errno if it failed.
 */
export function statxDescriptor(
  fd: number,
  flags: number = 0,
): FileStatus | number {
  return call(fd, EMPTY_PATH, flags | AT.EMPTY_PATH);
}

/**
 * What a file is by its mode.
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
    STATX_BASIC_STATS | STATX_DIOALIGN,
    result,
  );
  return failed < 0 ? -errno() : decode();
}

// struct statx of <linux/stat.h>.
function decode(): FileStatus {
  const mode = result.getUint16(28, true);
  return {
    kind: fileKind(mode),
    mode,
    size: Number(result.getBigUint64(40, true)),
    blocks: Number(result.getBigUint64(48, true)),
    blockSize: result.getUint32(4, true),
    directAlignment: (result.getUint32(0, true) & STATX_DIOALIGN) === 0
      ? null
      : result.getUint32(156, true),
    atime: nanoseconds(64),
    mtime: nanoseconds(112),
    ctime: nanoseconds(96),
    inode: result.getBigUint64(32, true),
    device: `${result.getUint32(136, true)}:${result.getUint32(140, true)}`,
  };
}

// struct statx_timestamp: signed seconds, then nanoseconds counting forward.
function nanoseconds(offset: number): bigint {
  const seconds = result.getBigInt64(offset, true);
  return timeOf(seconds, result.getUint32(offset + 8, true));
}
