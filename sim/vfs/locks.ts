import { ERRNO } from "../../src/base/errno.ts";
import { SimError } from "../kernel/call.ts";
import { Fifo } from "../kernel/fifo.ts";

interface Sleeper {
  readonly exclusive: boolean;
  readonly wake: () => void;
}

/**
 * A lock that several holders can share or one can hold exclusively:
 * `inode->i_rwsem`.
 *
 * @category Files
 */
export class InodeLock {
  /** The number of holders; -1 for an exclusive one. */
  #holders = 0;
  readonly #sleepers: Fifo<Sleeper> = new Fifo();

  /**
   * Acquires the lock, first come, first served.
   *
   * @param exclusive Whether to hold it exclusively.
   * @returns `undefined` if it was free.
   */
  acquire(exclusive: boolean): Promise<void> | undefined {
    if (this.#sleepers.length === 0 && this.#grant(exclusive)) return undefined;
    return new Promise((wake) => this.#sleepers.push({ exclusive, wake }));
  }

  /** Releases the lock. */
  release(): void {
    this.#holders = this.#holders < 0 ? 0 : this.#holders - 1;
    for (;;) {
      const sleeper = this.#sleepers.shift();
      if (sleeper === undefined) return;
      if (!this.#grant(sleeper.exclusive)) {
        this.#sleepers.unshift(sleeper);
        return;
      }
      sleeper.wake();
    }
  }

  #grant(exclusive: boolean): boolean {
    if (exclusive ? this.#holders !== 0 : this.#holders < 0) return false;
    this.#holders = exclusive ? -1 : this.#holders + 1;
    return true;
  }
}

/**
 * A flock(2) lock.
 *
 * @category Files
 */
export type FlockKind = "shared" | "exclusive" | "none";

/**
 * The flock(2) locks of a file, which the kernel keeps without asking the
 * server. fs/fuse/file.c fuse_file_flock().
 *
 * @category Files
 */
export class FlockTable {
  readonly #holders: Map<object, FlockKind> = new Map();

  /**
   * flock(2) with LOCK_NB.
   *
   * @param owner The open file, which duplicates of a descriptor share.
   * @param kind The new lock, which replaces the present one.
   * @throws {SimError} EAGAIN if another owner's lock conflicts.
   */
  set(owner: object, kind: FlockKind): void {
    this.#holders.delete(owner);
    if (kind === "none") return;
    for (const other of this.#holders.values()) {
      if (kind === "exclusive" || other === "exclusive") {
        throw new SimError("flock", ERRNO.EAGAIN);
      }
    }
    this.#holders.set(owner, kind);
  }
}
