import type { Machine, Thread } from "./thread.ts";

/**
 * A spin lock: whoever wants it spins, in turn, and what it guards has to come
 * from the cache of whoever had it last.
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

  /** Takes it; false if the thread has to wait until it is given the lock. */
  take(thread: Thread): boolean {
    if (this.#held) {
      this.#waiting.push(thread);
      return false;
    }
    this.#held = true;
    return true;
  }

  /** What it costs the new holder to have and to use it, in microseconds. */
  cost(thread: Thread): number {
    const { lockHold, lockTransfer } = this.#machine.costs;
    const moved = this.#last !== thread;
    this.#last = thread;
    return moved ? lockHold + lockTransfer : lockHold;
  }

  /** Gives it to the next one. */
  release(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#held = false;
    else this.#machine.engine.after(0, next);
  }
}

/** Counters and lists that all server threads write, without a lock. */
export class SharedState {
  #last: Thread | undefined;

  /** Notes who writes it; whether somebody else did so last. */
  moves(thread: Thread): boolean {
    const moved = this.#last !== undefined && this.#last !== thread;
    this.#last = thread;
    return moved;
  }
}

/** A lock that is slept for, in turn: an inode's, held exclusively. */
export class SleepLock {
  readonly #waiting: Thread[] = [];
  #held = false;

  /** Takes it; false if the thread sleeps until it is given the lock. */
  take(thread: Thread): boolean {
    if (this.#held) {
      this.#waiting.push(thread);
      thread.sleep();
      return false;
    }
    this.#held = true;
    return true;
  }

  /** Gives it to the next one, and returns whom, to be woken. */
  release(): Thread | undefined {
    const next = this.#waiting.shift();
    if (next === undefined) this.#held = false;
    return next;
  }
}
