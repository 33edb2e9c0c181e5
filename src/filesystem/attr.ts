/**
 * Attributes of nodes and of file systems, as plain values.
 *
 * @module
 */
import { NS_PER_MS, timeOf } from "../base/timespec.ts";

/**
 * A time as stat(2) has it. A file system that asks another one saves conversions
 * by passing it on.
 *
 * @category Writing a file system
 */
export interface Timespec {
  /** Whole seconds since 1970, negative before. */
  readonly seconds: number;
  /** Nanoseconds after that, 0 to 999,999,999. */
  readonly nanoseconds: number;
}

/**
 * A time: nanoseconds since 1970, negative before, a `Date`, or a `Timespec`.
 *
 * @category Writing a file system
 */
export type Time = bigint | Date | Timespec;

/** The nanoseconds since 1970 of a time. */
export function nanosecondsSince1970(time: Time): bigint {
  if (typeof time === "bigint") return time;
  if (time instanceof Date) return BigInt(time.getTime()) * NS_PER_MS;
  return timeOf(BigInt(time.seconds), time.nanoseconds);
}

/**
 * The attributes of a node, `struct stat`. All but `mode` may be left out.
 *
 * @category Writing a file system
 */
export interface Attr {
  /** Type and permissions: `S_IF.REG | 0o644`. */
  readonly mode: number;
  /** Size in bytes; 0. */
  readonly size?: number | bigint;
  /** Space in units of 512 bytes; that of `size`. */
  readonly blocks?: number | bigint;
  /** Number of names; 1. */
  readonly nlink?: number;
  /** User id of the owner; 0. */
  readonly uid?: number;
  /** Group id; 0. */
  readonly gid?: number;
  /** Device number of a device, as stat(2) has it in its lower 32 bits; 0. */
  readonly rdev?: number;
  /** Time of the last change of data; 1970. */
  readonly mtime?: Time;
  /** Time of the last access; `mtime`. */
  readonly atime?: Time;
  /** Time of the last change of anything; `mtime`. */
  readonly ctime?: Time;
  /** Best size of a read or write, in bytes; 4096. */
  readonly blksize?: number;
  /** Inode number, 64 bits; a number that the layer gives the node. */
  readonly ino?: number | bigint;
}

/**
 * Attributes to be changed, the others being left out. They can be assigned to
 * an object with the attributes of the node: `Object.assign(attr, changes)`.
 *
 * @category Writing a file system
 */
export interface Changes {
  /** The new type, which is the old one, and permissions. */
  mode?: number;
  /** The new owner. */
  uid?: number;
  /** The new group. */
  gid?: number;
  /** The new size in bytes: to be cut off, or extended by zeroes. */
  size?: number;
  /** The new time of access, in nanoseconds since 1970. */
  atime?: bigint;
  /** The new time of modification, also if `size` changes. */
  mtime?: bigint;
  /** The time of this change; always there. */
  ctime: bigint;
}

/**
 * The space of a file system, `struct statvfs`; what is left out is 0.
 *
 * @category Writing a file system
 */
export interface StatFs {
  /** The unit of the next three, in bytes; 4096. */
  readonly bsize?: number;
  /** All space. */
  readonly blocks?: number | bigint;
  /** Free space. */
  readonly bfree?: number | bigint;
  /** Free space for users other than root; `bfree`. */
  readonly bavail?: number | bigint;
  /** Number of nodes that are possible. */
  readonly files?: number | bigint;
  /** Number of nodes that are free. */
  readonly ffree?: number | bigint;
  /** Longest name in bytes; 255. */
  readonly namelen?: number;
}
