import type { Machine, Thread } from "./thread.ts";

/**
 * A fair spin lock. Its data has to be fetched from the cache of the last
 * holder.
 */
export class SpinLock {
  readonly #machine: Machine;
  readonly #waiting: Thread[] = [];
  #held = false;
  #last: Thread | undefined;

  /** Makes a free lock. */
  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** Acquires the lock. Returns false if the thread has to wait for it. */
  acquire(thread: Thread): boolean {
    if (this.#held) {
      this.#waiting.push(thread);
      return false;
    }
    this.#held = true;
    return true;
  }

  /** The time that the new holder spends with the lock, in microseconds. */
  cost(thread: Thread): number {
    const { lockHold, lockTransfer } = this.#machine.costs;
    const moved = this.#last !== thread;
    this.#last = thread;
    return moved ? lockHold + lockTransfer : lockHold;
  }

  /** Passes the lock to the next thread that waits. */
  release(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#held = false;
    else this.#machine.engine.after(0, next);
  }
}

/** Counters and lists that all server threads write without a lock. */
export class SharedState {
  #last: Thread | undefined;

  /** A thread writes them; returns whether another thread wrote them last. */
  moves(thread: Thread): boolean {
    const moved = this.#last !== undefined && this.#last !== thread;
    this.#last = thread;
    return moved;
  }
}

/** A fair sleeping lock: an inode's, held exclusively. */
export class SleepLock {
  readonly #waiting: Thread[] = [];
  #held = false;

  /** Acquires the lock. Returns false if the thread sleeps until it gets it. */
  acquire(thread: Thread): boolean {
    if (this.#held) {
      this.#waiting.push(thread);
      thread.sleep();
      return false;
    }
    this.#held = true;
    return true;
  }

  /** Passes the lock to the next thread that waits; returns it, to be woken. */
  release(): Thread | undefined {
    const next = this.#waiting.shift();
    if (next === undefined) this.#held = false;
    return next;
  }
}
