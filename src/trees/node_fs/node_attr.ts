/**
 * Attributes of `node:fs` as those of a node.
 *
 * @module
 */
import { S_IF } from "../../base/file_flags.ts";
import {
  MS_PER_S,
  nanosecondsOf,
  NS_PER_MS,
  NS_PER_S,
  secondsOf,
} from "../../base/timespec.ts";
import type { Attr } from "../../filesystem/attr.ts";
import { isInMemory } from "./inode_numbers.ts";
import type { NodeStats } from "./node_fs.ts";

/** The attributes of a node, without its inode number. */
export function attrOf(stats: NodeStats): Attr {
  const mode = Number(stats.mode);
  const isLink = (mode & S_IF.MT) === S_IF.LNK;
  return {
    // Links have all permissions on Linux; libraries may say otherwise.
    mode: isLink ? mode | 0o777 : mode,
    size: stats.size,
    nlink: Number(stats.nlink ?? 1),
    uid: Number(stats.uid ?? 0),
    gid: Number(stats.gid ?? 0),
    rdev: Number(BigInt.asUintN(32, BigInt(stats.rdev ?? 0))),
    atime: timeOf(stats.atimeNs, stats.atimeMs),
    mtime: timeOf(stats.mtimeNs, stats.mtimeMs),
    ctime: timeOf(stats.ctimeNs, stats.ctimeMs),
    ...blocksOf(stats),
  };
}

/** A library in memory does not count blocks. */
function blocksOf(stats: NodeStats): Pick<Attr, "blocks"> {
  const { blocks } = stats;
  return isInMemory(stats) || blocks === undefined ? {} : { blocks };
}

function timeOf(ns: bigint | undefined, ms: number | bigint = 0): bigint {
  if (ns !== undefined) return ns;
  return typeof ms === "bigint"
    ? ms * NS_PER_MS
    : BigInt(Math.floor(ms * Number(NS_PER_MS)));
}

/**
 * A time as `utimes()` takes it: seconds, as exact as a number can be. For
 * numbers below 0 it takes the present time; a `Date` before 1970 is kept.
 */
export function utimeOf(ns: bigint): number | Date {
  if (ns >= 0n) return Number(ns) / Number(NS_PER_S);
  return new Date(Number(secondsOf(ns)) * MS_PER_S + millisecondsOf(ns));
}

function millisecondsOf(ns: bigint): number {
  return Math.floor(nanosecondsOf(ns) / Number(NS_PER_MS));
}

/**
 * What tells whether two paths lead to the same file; `null` if nothing does.
 * Libraries that do not number files say 0.
 */
export function identityOf({ dev = 0, ino = 0 }: NodeStats): string | null {
  return Number(ino) === 0 ? null : `${dev}:${ino}`;
}
