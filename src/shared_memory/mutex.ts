import { futexWait, futexWake } from "./futex.ts";

/** Index of the owner: its number as a holder plus 1, 0 if none. */
const OWNER = 0;
/** Index of the word that counts wake-ups. */
const DOORBELL = 1;
/** Index of the number of callers that wait. */
const WAITERS = 2;

/** Looks at the owner before sleeping: it often holds the lock for less. */
const SPINS = 400;

/**
 * A lock in shared memory that one caller holds at a time. Waiting for it does
 * not block the thread, because the holder may need this thread to finish.
 */
export class SharedMutex {
  /** Words of shared memory that it takes. */
  static readonly WORDS = 3;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #owner: number;

  /**
   * Wraps the memory of a lock.
   *
   * @param words {@linkcode SharedMutex.WORDS} words, zero when it is made.
   * @param holder The number of this thread.
   */
  constructor(words: Int32Array<SharedArrayBuffer>, holder: number) {
    this.#words = words;
    this.#owner = holder + 1;
  }

  /** Whether some caller holds it. */
  get isHeld(): boolean {
    return Atomics.load(this.#words, OWNER) !== 0;
  }

  /** Takes the lock if it is free. */
  tryLock(): boolean {
    return Atomics.compareExchange(this.#words, OWNER, 0, this.#owner) === 0;
  }

  /** Takes the lock; returns 0 at once, or a promise of it. */
  lock(): number | Promise<number> {
    const words = this.#words;
    for (let spins = 0; spins < SPINS; spins++) {
      const owner = Atomics.load(words, OWNER);
      if (owner === 0 && this.tryLock()) return 0;
      // Another request of this thread has it: it goes on only afterwards.
      if (owner === this.#owner) break;
    }
    return this.#wait();
  }

  /** Releases the lock. */
  unlock(): void {
    // After a revocation it belongs to another holder.
    Atomics.compareExchange(this.#words, OWNER, this.#owner, 0);
    if (Atomics.load(this.#words, WAITERS) > 0) {
      futexWake(this.#words, DOORBELL);
    }
  }

  /**
   * Takes the lock from a thread that has ended.
   *
   * @returns Whether it held the lock, which this thread now holds instead.
   */
  revoke(holder: number): boolean {
    const owner = holder + 1;
    const before = Atomics.compareExchange(
      this.#words,
      OWNER,
      owner,
      this.#owner,
    );
    return before === owner;
  }

  async #wait(): Promise<number> {
    const words = this.#words;
    Atomics.add(words, WAITERS, 1);
    try {
      for (;;) {
        const seen = Atomics.load(words, DOORBELL);
        if (this.tryLock()) return 0;
        await futexWait(words, DOORBELL, seen);
      }
    } finally {
      Atomics.sub(words, WAITERS, 1);
    }
  }
}
