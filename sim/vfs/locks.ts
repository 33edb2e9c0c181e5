import { ERRNO } from "../../src/base/errno.ts";
import { SimError } from "../kernel/call.ts";
import { Fifo } from "../kernel/fifo.ts";

interface Sleeper {
  readonly exclusive: boolean;
  readonly wake: () => void;
}

/** A lock that many may share or one has alone; `inode->i_rwsem`. */
export class InodeLock {
  /** How many share it; -1 while one has it alone. */
  #holders = 0;
  readonly #sleepers: Fifo<Sleeper> = new Fifo();

  /**
   * Takes the lock, in the order in which it is asked for.
   *
   * @param exclusive Whether to have it alone.
   * @returns `undefined` if it is free at once.
   */
  acquire(exclusive: boolean): Promise<void> | undefined {
    if (this.#sleepers.length === 0 && this.#grant(exclusive)) return undefined;
    return new Promise((wake) => this.#sleepers.push({ exclusive, wake }));
  }

  /** Gives it back. */
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

/** How flock(2) locks: for everybody, for one, or not at all. */
export type FlockKind = "shared" | "exclusive" | "none";

/**
 * Who has locked a file: the kernel keeps that to itself unless the server
 * wants to know. fs/fuse/file.c fuse_file_flock().
 */
export class FlockTable {
  readonly #holders: Map<object, FlockKind> = new Map();

  /**
   * flock(2) with LOCK_NB.
   *
   * @param owner The open file, which duplicates of a descriptor share.
   * @param kind The lock it wants; it gives up the one it has.
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
