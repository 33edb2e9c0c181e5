/**
 * A readers-writer lock between Workers.
 *
 * @module
 */
import { futexWait, futexWake } from "./futex.ts";

/** Added to STATE by the exclusive owner; larger than any number of sharers. */
const EXCLUSIVE = -(2 ** 30);
/** Index of the number of sharers, plus EXCLUSIVE if it is owned. */
const STATE = 0;
/** Index of the number of callers that wait for the exclusive lock. */
const WAITING = 1;
/** Index of the word that counts wake-ups. */
const DOORBELL = 2;

/**
 * A lock in shared memory that many callers share or one caller holds
 * exclusively. While a caller waits for exclusive ownership, later callers that
 * want to share the lock wait until it has had its turn.
 *
 * No call blocks the thread, because the holder of the lock may need this
 * thread to finish.
 *
 * @category Exporting an image
 */
export class SharedRwLock {
  /** Words of shared memory that a lock takes. */
  static readonly WORDS = 3;
  readonly #words: Int32Array<SharedArrayBuffer>;
  /** Callers that wait in this thread; `null` if other threads use the lock. */
  readonly #waiters: (() => void)[] | null;

  /**
   * Wraps the memory of a lock.
   *
   * @param words {@linkcode SharedRwLock.WORDS} words, zero when it is made.
   * @param oneThread Whether no other thread uses it. Waiters are then woken
   * through promises alone, in a reproducible order.
   */
  constructor(
    words: Int32Array<SharedArrayBuffer>,
    oneThread: boolean = false,
  ) {
    this.#words = words;
    this.#waiters = oneThread ? [] : null;
  }

  /** Shares the lock, unless a caller holds it exclusively or waits to. */
  tryShare(): boolean {
    const words = this.#words;
    if (Atomics.load(words, WAITING) > 0) return false;
    if (Atomics.add(words, STATE, 1) >= 0) return true;
    this.unshare();
    return false;
  }

  /** Releases a shared lock. */
  unshare(): void {
    const before = Atomics.sub(this.#words, STATE, 1);
    if (before === 1 && Atomics.load(this.#words, WAITING) > 0) this.#wake();
  }

  /** Shares the lock; waits until that is possible. */
  async share(): Promise<void> {
    for (;;) {
      const seen = Atomics.load(this.#words, DOORBELL);
      if (this.tryShare()) return;
      await this.#wait(seen);
    }
  }

  /** Takes the lock exclusively; waits until all sharers have released it. */
  async lock(): Promise<void> {
    const words = this.#words;
    Atomics.add(words, WAITING, 1);
    for (;;) {
      const seen = Atomics.load(words, DOORBELL);
      if (Atomics.compareExchange(words, STATE, 0, EXCLUSIVE) === 0) break;
      await this.#wait(seen);
    }
    Atomics.sub(words, WAITING, 1);
  }

  /** Releases an exclusive lock. */
  unlock(): void {
    Atomics.sub(this.#words, STATE, EXCLUSIVE);
    this.#wake();
  }

  #wake(): void {
    futexWake(this.#words, DOORBELL);
    for (const wake of this.#waiters?.splice(0) ?? []) wake();
  }

  async #wait(seen: number): Promise<void> {
    const waiters = this.#waiters;
    if (waiters === null) return await futexWait(this.#words, DOORBELL, seen);
    await new Promise<void>((resolve) => waiters.push(resolve));
  }
}
