import { S_IF, STATX, STATX_BASIC_STATS } from "../../src/base/file_flags.ts";
import { type Clock, STILL_CLOCK } from "../determinism/clock.ts";
import { FlockTable } from "./locks.ts";
import { InodeLock } from "./locks.ts";
import { PageCache } from "./page_cache.ts";

/** What stat(2) of the mounted file tells. */
export interface SimStat {
  /** The inode's number. */
  readonly ino: bigint;
  /** Size in bytes. */
  readonly size: number;
  /** Blocks of 512 bytes. */
  readonly blocks: number;
  /** Preferred size of a request in bytes. */
  readonly blockSize: number;
  /** File type and permissions. */
  readonly mode: number;
  /** How many names lead to it. */
  readonly links: number;
  /** The number of a device, as the protocol counts it. */
  readonly rdev: number;
  /** The owner. */
  readonly uid: number;
  /** The group. */
  readonly gid: number;
  /** Time of the last read, nanoseconds since 1970. */
  readonly atime: bigint;
  /** Time of the last write, nanoseconds since 1970. */
  readonly mtime: bigint;
  /** Time of the last change, nanoseconds since 1970. */
  readonly ctime: bigint;
}

/** Requests that a server may not know; asked for once, then never again. */
export type OptionalRequest =
  | "FLUSH"
  | "FSYNC"
  | "FALLOCATE"
  | "LSEEK"
  | "GETXATTR"
  | "SETXATTR"
  | "LISTXATTR"
  | "REMOVEXATTR"
  | "ACCESS"
  | "OPEN"
  | "OPENDIR"
  | "CREATE"
  | "LINK"
  | "RENAME2"
  | "FSYNCDIR"
  | "STATX"
  | "COPY_FILE_RANGE_64"
  | "COPY_FILE_RANGE";

/** What a server tells of a file: `STATX_BASIC_STATS`. */
export const ALL_ATTRIBUTES = STATX_BASIC_STATS;
/** What a write puts in doubt: `FUSE_STATX_MODSIZE`. */
export const WRITTEN_ATTRIBUTES: number = STATX.MTIME | STATX.CTIME |
  STATX.BLOCKS | STATX.SIZE;

const UNKNOWN: SimStat = {
  ino: 0n,
  size: 0,
  blocks: 0,
  blockSize: 4096,
  mode: S_IF.REG,
  links: 1,
  rdev: 0,
  uid: 0,
  gid: 0,
  atime: 0n,
  mtime: 0n,
  ctime: 0n,
};

/** The mounted file as the kernel knows it: `struct fuse_inode`. */
export class SimInode {
  /** Held by whoever writes. */
  readonly lock: InodeLock = new InodeLock();
  /** What mappings have read and written. */
  readonly pages: PageCache = new PageCache();
  /** Requests that were answered with ENOSYS. */
  readonly unsupported: Set<OptionalRequest>;
  /** Who has locked it. */
  readonly flocks: FlockTable = new FlockTable();
  /** Whether the nodeid has come to mean another inode: `FUSE_I_BAD`. */
  bad = false;
  /** Files that are open: `struct file`s. */
  opens = 0;
  readonly #clock: Clock;
  #stat: SimStat = UNKNOWN;
  #invalid = ALL_ATTRIBUTES;
  #validUntil = -1;
  #version = 0;

  /**
   * Makes a file of which nothing is known.
   *
   * @param clock Tells when attributes are too old; time stands still if left
   * out.
   * @param unknown Requests that the server does not know, which all inodes of
   * a mount share.
   */
  constructor(
    clock: Clock = STILL_CLOCK,
    unsupported: Set<OptionalRequest> = new Set(),
  ) {
    this.#clock = clock;
    this.unsupported = unsupported;
  }

  /** The attributes as the server told them last. */
  get stat(): SimStat {
    return this.#stat;
  }

  /** How often the kernel has learnt something: `fi->attr_version`. */
  get version(): number {
    return this.#version;
  }

  /**
   * Whether attributes may be believed.
   *
   * @param mask Which, as statx(2) counts them; all if left out.
   */
  isValid(mask: number = ALL_ATTRIBUTES): boolean {
    return (this.#invalid & mask) === 0 &&
      this.#clock.now <= this.#validUntil;
  }

  /**
   * Notes what the server told.
   *
   * @param stat What it told.
   * @param us For how many microseconds that may be believed.
   */
  update(stat: SimStat, us: number = Infinity): void {
    this.#version++;
    this.#stat = stat;
    this.#invalid = 0;
    //= fs/fuse/inode.c time_to_jiffies(): no time at all is never believed.
    this.#validUntil = us > 0 ? this.#clock.now + us : -1;
  }

  /** Notes that the server has to be asked again: `fi->inval_mask`. */
  invalidate(mask: number = ALL_ATTRIBUTES): void {
    this.#invalid |= mask;
  }

  /** Notes that bytes were written up to `end`: `fuse_write_update_attr()`. */
  written(end: number): void {
    this.#version++;
    if (end > this.#stat.size) this.resized(end);
    this.invalidate(WRITTEN_ATTRIBUTES);
  }

  /** Notes a size that the kernel knows by itself. */
  resized(size: number): void {
    this.#stat = { ...this.#stat, size };
  }
}
