/**
 * Attributes of nodes and of file systems, as plain values, and as the wire has
 * them.
 *
 * @module
 */
import { NAME_MAX, PAGE_SIZE } from "../base/limits.ts";
import { nanosecondsOf, NS_PER_MS, secondsOf } from "../base/timespec.ts";
import type { Encodable } from "../protocol/types.ts";

/** The unit of `st_blocks`, in bytes. */
const BLOCK_SIZE = 512n;

/**
 * A time: nanoseconds since 1970, negative before, or a `Date`.
 *
 * @category Writing a file system
 */
export type Time = bigint | Date;

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

/**
 * The attributes of a node as the wire has them.
 *
 * @param attr What the file system said.
 * @param id The node's id, its inode number unless it has one.
 * @throws {RangeError} If a number is not whole.
 */
export function wireAttr(attr: Attr, id: number): Encodable<"fuse_attr"> {
  const size = BigInt(attr.size ?? 0);
  const mtime = nanoseconds(attr.mtime ?? 0n);
  const atime = nanoseconds(attr.atime ?? mtime);
  const ctime = nanoseconds(attr.ctime ?? mtime);
  return {
    ino: BigInt(attr.ino ?? id),
    size,
    blocks: attr.blocks === undefined
      ? (size + BLOCK_SIZE - 1n) / BLOCK_SIZE
      : BigInt(attr.blocks),
    atime: secondsOf(atime),
    mtime: secondsOf(mtime),
    ctime: secondsOf(ctime),
    atimensec: nanosecondsOf(atime),
    mtimensec: nanosecondsOf(mtime),
    ctimensec: nanosecondsOf(ctime),
    mode: attr.mode,
    nlink: attr.nlink ?? 1,
    uid: attr.uid ?? 0,
    gid: attr.gid ?? 0,
    rdev: attr.rdev ?? 0,
    blksize: attr.blksize ?? PAGE_SIZE,
  };
}

/** The space of a file system as the wire has it. */
export function wireStatFs(space: StatFs): Encodable<"fuse_kstatfs"> {
  const bsize = space.bsize ?? PAGE_SIZE;
  const bfree = BigInt(space.bfree ?? 0);
  return {
    bsize,
    frsize: bsize,
    blocks: BigInt(space.blocks ?? 0),
    bfree,
    bavail: BigInt(space.bavail ?? bfree),
    files: BigInt(space.files ?? 0),
    ffree: BigInt(space.ffree ?? 0),
    namelen: space.namelen ?? NAME_MAX,
  };
}

function nanoseconds(time: Time): bigint {
  return typeof time === "bigint" ? time : BigInt(time.getTime()) * NS_PER_MS;
}
