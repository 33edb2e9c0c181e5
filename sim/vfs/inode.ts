import { S_IF, STATX, STATX_BASIC_STATS } from "../../src/base/file_flags.ts";
import { type Clock, STILL_CLOCK } from "../determinism/clock.ts";
import { FlockTable } from "./locks.ts";
import { InodeLock } from "./locks.ts";
import { PageCache } from "./page_cache.ts";

/**
 * The result of stat(2).
 *
 * @category Files
 */
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
  /** Number of hard links. */
  readonly links: number;
  /** Device number, in the protocol's encoding. */
  readonly rdev: number;
  /** User id of the owner. */
  readonly uid: number;
  /** Group id. */
  readonly gid: number;
  /** Access time in nanoseconds since 1970. */
  readonly atime: bigint;
  /** Modification time in nanoseconds since 1970. */
  readonly mtime: bigint;
  /** Change time in nanoseconds since 1970. */
  readonly ctime: bigint;
}

/**
 * Requests that a server may not support; after ENOSYS they are not sent again.
 *
 * @category Files
 */
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

/** All attributes that a server returns: `STATX_BASIC_STATS`. */
export const ALL_ATTRIBUTES = STATX_BASIC_STATS;
/** The attributes that a write invalidates: `FUSE_STATX_MODSIZE`. */
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

/**
 * An inode with its cached attributes: `struct fuse_inode`.
 *
 * @category Files
 */
export class SimInode {
  /** Held by writers. */
  readonly lock: InodeLock = new InodeLock();
  /** Cached pages. */
  readonly pages: PageCache = new PageCache();
  /** Requests that the server has answered with ENOSYS. */
  readonly unsupported: Set<OptionalRequest>;
  /** The holders of flock(2) locks. */
  readonly flocks: FlockTable = new FlockTable();
  /** Whether the nodeid now belongs to another inode: `FUSE_I_BAD`. */
  bad = false;
  /** Whether FUSE_AUTO_INVAL_DATA was negotiated: `fc->auto_inval_data`. */
  autoInval = false;
  /** The number of open files. */
  opens = 0;
  readonly #clock: Clock;
  #stat: SimStat = UNKNOWN;
  #invalid = ALL_ATTRIBUTES;
  #validUntil = -1;
  #version = 0;

  /**
   * Makes an inode without valid attributes.
   *
   * @param clock Decides when attributes expire; never if left out.
   * @param unsupported Requests that the server does not support, which all
   * inodes of a mount share.
   */
  constructor(
    clock: Clock = STILL_CLOCK,
    unsupported: Set<OptionalRequest> = new Set(),
  ) {
    this.#clock = clock;
    this.unsupported = unsupported;
  }

  /** The cached attributes. */
  get stat(): SimStat {
    return this.#stat;
  }

  /** A counter of changes to the cached attributes: `fi->attr_version`. */
  get version(): number {
    return this.#version;
  }

  /**
   * Whether cached attributes are valid.
   *
   * @param mask Fields of statx(2); all if left out.
   */
  isValid(mask: number = ALL_ATTRIBUTES): boolean {
    return (this.#invalid & mask) === 0 &&
      this.#clock.now <= this.#validUntil;
  }

  /**
   * Caches attributes.
   *
   * @param stat The attributes.
   * @param us Microseconds for which they are valid.
   */
  update(stat: SimStat, us: number = Infinity): void {
    this.#version++;
    //= fs/fuse/inode.c fuse_change_attributes(): another time of modification
    //= drops what is cached.
    if (this.autoInval && stat.mtime !== this.#stat.mtime) this.pages.clear();
    this.#stat = stat;
    this.#invalid = 0;
    //= fs/fuse/inode.c time_to_jiffies(): a time of 0 means never valid.
    this.#validUntil = us > 0 ? this.#clock.now + us : -1;
  }

  /** Marks attributes as not valid: `fi->inval_mask`. */
  invalidate(mask: number = ALL_ATTRIBUTES): void {
    this.#invalid |= mask;
  }

  /** A write ended at `end`: `fuse_write_update_attr()`. */
  written(end: number): void {
    this.#version++;
    if (end > this.#stat.size) this.resized(end);
    this.invalidate(WRITTEN_ATTRIBUTES);
  }

  /** Sets a size that the kernel knows without the server. */
  resized(size: number): void {
    this.#stat = { ...this.#stat, size };
  }
}
