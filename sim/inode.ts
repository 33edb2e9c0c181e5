import { S_IF } from "../src/protocol/flags.ts";
import { InodeLock } from "./inode_lock.ts";

/** What stat(2) of the mounted file tells. */
export interface SimStat {
  /** Size in bytes. */
  readonly size: number;
  /** Blocks of 512 bytes. */
  readonly blocks: number;
  /** Preferred size of a request in bytes. */
  readonly blockSize: number;
  /** File type and permissions. */
  readonly mode: number;
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
  | "GETXATTR";

const UNKNOWN: SimStat = {
  size: 0,
  blocks: 0,
  blockSize: 4096,
  mode: S_IF.REG,
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
  /** Requests that were answered with ENOSYS. */
  readonly unknown: Set<OptionalRequest> = new Set();
  #stat: SimStat = UNKNOWN;
  #valid = false;

  /** The attributes as the server told them last. */
  get stat(): SimStat {
    return this.#stat;
  }

  /** Whether they may be believed. */
  get valid(): boolean {
    return this.#valid;
  }

  /** Notes what the server told. */
  update(stat: SimStat): void {
    this.#stat = stat;
    this.#valid = true;
  }

  /** Notes that the server has to be asked again. */
  invalidate(): void {
    this.#valid = false;
  }

  /** Notes that bytes were written up to `end`: `fuse_write_update_attr()`. */
  written(end: number): void {
    if (end > this.#stat.size) this.#stat = { ...this.#stat, size: end };
    this.#valid = false;
  }
}
