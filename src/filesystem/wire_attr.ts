/**
 * Attributes as the wire has them. They are written field by field, because most
 * requests to a file system are answered with them.
 *
 * @module
 */
import { NAME_MAX, PAGE_SIZE } from "../base/limits.ts";
import {
  MS_PER_S,
  nanosecondsOf,
  NS_PER_MS,
  NS_PER_S,
  secondsOf,
} from "../base/timespec.ts";
import { accessors } from "../protocol/accessors.ts";
import type { Encodable } from "../protocol/types.ts";
import type { Attr, StatFs, Time } from "./attr.ts";

const AT = accessors("fuse_attr").at;
/** The unit of `st_blocks`, in bytes. */
const BLOCK_SIZE = 512;
const NS_PER_MS_NUMBER = Number(NS_PER_MS);
const NS_PER_S_NUMBER = Number(NS_PER_S);
const TWO_32 = 2 ** 32;

/**
 * Writes the attributes of a node, a `fuse_attr`.
 *
 * @param view The view to write to.
 * @param base Where in it.
 * @param attr What the file system said.
 * @param id The node's id, its inode number unless it has one.
 * @throws {RangeError} If a number is not whole, or does not fit.
 */
export function writeAttr(
  view: DataView,
  base: number,
  attr: Attr,
  id: number,
): void {
  const { size = 0, mtime = 0n, atime = mtime, ctime = mtime } = attr;
  write64(view, base + AT.ino, attr.ino ?? id, "ino");
  write64(view, base + AT.size, size, "size");
  write64(view, base + AT.blocks, attr.blocks ?? blocksOf(size), "blocks");
  writeTime(view, base + AT.atime, base + AT.atimensec, atime, "atime");
  writeTime(view, base + AT.mtime, base + AT.mtimensec, mtime, "mtime");
  writeTime(view, base + AT.ctime, base + AT.ctimensec, ctime, "ctime");
  write32(view, base + AT.mode, attr.mode, "mode");
  write32(view, base + AT.nlink, attr.nlink ?? 1, "nlink");
  write32(view, base + AT.uid, attr.uid ?? 0, "uid");
  write32(view, base + AT.gid, attr.gid ?? 0, "gid");
  write32(view, base + AT.rdev, attr.rdev ?? 0, "rdev");
  write32(view, base + AT.blksize, attr.blksize ?? PAGE_SIZE, "blksize");
  view.setUint32(base + AT.flags, 0, true);
}

function blocksOf(size: number | bigint): number {
  return Math.ceil(Number(size) / BLOCK_SIZE);
}

function write32(
  view: DataView,
  at: number,
  value: number,
  field: string,
): void {
  if (value >>> 0 !== value) throw unfit(field, value);
  view.setUint32(at, value, true);
}

function write64(
  view: DataView,
  at: number,
  value: number | bigint,
  field: string,
): void {
  if (typeof value === "bigint") {
    if (BigInt.asUintN(64, value) !== value) throw unfit(field, value);
    view.setBigUint64(at, value, true);
    return;
  }
  if (!Number.isSafeInteger(value) || value < 0) throw unfit(field, value);
  view.setUint32(at, value >>> 0, true);
  view.setUint32(at + 4, value / TWO_32, true);
}

/** Writes seconds, which the kernel reads as signed, and nanoseconds. */
function writeTime(
  view: DataView,
  at: number,
  nanosecondsAt: number,
  time: Time,
  field: string,
): void {
  if (typeof time === "bigint") {
    const seconds = secondsOf(time);
    if (BigInt.asIntN(64, seconds) !== seconds) throw unfit(field, time);
    view.setBigInt64(at, seconds, true);
    view.setUint32(nanosecondsAt, nanosecondsOf(time), true);
    return;
  }
  const { seconds, nanoseconds } = time instanceof Date
    ? timespecOf(time)
    : time;
  const fits = nanoseconds >>> 0 === nanoseconds &&
    nanoseconds < NS_PER_S_NUMBER;
  if (!Number.isSafeInteger(seconds) || !fits) throw unfit(field, seconds);
  view.setUint32(at, seconds >>> 0, true);
  view.setInt32(at + 4, Math.floor(seconds / TWO_32), true);
  view.setUint32(nanosecondsAt, nanoseconds, true);
}

function timespecOf(date: Date): { seconds: number; nanoseconds: number } {
  const ms = date.getTime();
  const seconds = Math.floor(ms / MS_PER_S);
  return { seconds, nanoseconds: (ms - seconds * MS_PER_S) * NS_PER_MS_NUMBER };
}

function unfit(field: string, value: unknown): RangeError {
  const shown = typeof value === "bigint" ? `${value}n` : String(value);
  return new RangeError(
    `the attribute ${field} has to be a whole number that fits, not ${shown}`,
  );
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
