/**
 * The attributes of host files by statx(2): read into memory that all calls of a
 * thread share, and taken from there before the next call.
 *
 * @module
 */
import { STATX_BASIC_STATS } from "../base/file_flags.ts";
import type { Attr, Timespec } from "../filesystem/attr.ts";
import { libc } from "../linux/syscall/libc.ts";
import { AT } from "../linux/syscall/statx.ts";

const STRUCT_STATX_SIZE = 256;
/** Major numbers have 12 bits, minor ones 20: new_encode_dev() of the kernel. */
const MINOR_COUNT = 2 ** 20;
const TWO_32 = 2 ** 32;

const status = new DataView(new ArrayBuffer(STRUCT_STATX_SIZE));

/**
 * Reads the attributes of a file.
 *
 * @param directory A descriptor of its directory, or of itself for no name.
 * @param name Its name; a symbolic link is not followed.
 * @returns 0, or -1 with errno.
 */
export function readStatus(
  directory: number,
  name: Uint8Array<ArrayBuffer>,
): number {
  const flags = AT.EMPTY_PATH | AT.SYMLINK_NOFOLLOW | AT.NO_AUTOMOUNT;
  return libc().statx(directory, name, flags, STATX_BASIC_STATS, status);
}

// The offsets are those of struct statx in <linux/stat.h>.

/** The device that the file is on: a number that no other device has. */
export function statusDevice(): number {
  return status.getUint32(136, true) * MINOR_COUNT +
    status.getUint32(140, true);
}

/** The inode number: a number as long as that is exact. */
export function statusInode(): number | bigint {
  const inode = status.getUint32(32, true) +
    status.getUint32(36, true) * TWO_32;
  return inode <= Number.MAX_SAFE_INTEGER
    ? inode
    : status.getBigUint64(32, true);
}

/** Type and permissions. */
export function statusMode(): number {
  return status.getUint16(28, true);
}

/** The number of names. */
export function statusLinks(): number {
  return status.getUint32(16, true);
}

/** The group. */
export function statusGroup(): number {
  return status.getUint32(24, true);
}

/** All attributes, with an inode number that is told apart from others. */
export function statusAttr(ino: number | bigint): Attr {
  return {
    ino,
    mode: statusMode(),
    size: size64(40),
    blocks: size64(48),
    nlink: statusLinks(),
    uid: status.getUint32(20, true),
    gid: statusGroup(),
    rdev: encodeDevice(
      status.getUint32(128, true),
      status.getUint32(132, true),
    ),
    blksize: status.getUint32(4, true),
    atime: time(64),
    mtime: time(112),
    ctime: time(96),
  };
}

function size64(at: number): number {
  return status.getUint32(at, true) + status.getUint32(at + 4, true) * TWO_32;
}

// struct statx_timestamp { __s64 tv_sec; __u32 tv_nsec; }
function time(at: number): Timespec {
  const seconds = status.getInt32(at + 4, true) * TWO_32 +
    status.getUint32(at, true);
  return { seconds, nanoseconds: status.getUint32(at + 8, true) };
}

/** As the wire has it: new_encode_dev() of <linux/kdev_t.h>. */
function encodeDevice(major: number, minor: number): number {
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
}

/** A device number of the wire as mknod(2) has it: gnu_dev_makedev(). */
export function deviceArgument(rdev: number): bigint {
  const major = (rdev >>> 8) & 0xfff;
  const minor = (rdev & 0xff) | ((rdev >>> 12) & 0xfff00);
  return BigInt(minor & 0xff) | BigInt(major) << 8n |
    BigInt(minor >>> 8) << 20n;
}
