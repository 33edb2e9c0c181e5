/**
 * A readers-writer lock that holds between Workers.
 *
 * @module
 */
import { futexWait, futexWake } from "./futex.ts";

/** Added to STATE by the exclusive owner: more than there can be sharers. */
const EXCLUSIVE = -(2 ** 30);
/** Index of the number of shares, or EXCLUSIVE. */
const STATE = 0;
/** Index of the number of callers that wait for the exclusive lock. */
const WAITING = 1;
/** Index of the word that counts wake-ups. */
const DOORBELL = 2;

/**
 * A lock over words of shared memory that many callers share or one owns
 * exclusively. A caller that waits for the exclusive lock holds back later
 * callers that want to share it.
 *
 * No call blocks the thread: the operation that holds the lock may be waiting
 * for an answer on the same thread.
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
   * Looks at a lock.
   *
   * @param words {@linkcode SharedRwLock.WORDS} words, all zero at first.
   * @param oneThread Whether no other thread uses it. Waiters are then woken by
   * promises alone, which makes their order reproducible.
   */
  constructor(
    words: Int32Array<SharedArrayBuffer>,
    oneThread: boolean = false,
  ) {
    this.#words = words;
    this.#waiters = oneThread ? [] : null;
  }

  /** Shares the lock unless it is owned or wanted exclusively. */
  tryShare(): boolean {
    const words = this.#words;
    if (Atomics.load(words, WAITING) > 0) return false;
    if (Atomics.add(words, STATE, 1) >= 0) return true;
    this.unshare();
    return false;
  }

  /** Gives a share back. */
  unshare(): void {
    const before = Atomics.sub(this.#words, STATE, 1);
    if (before === 1 && Atomics.load(this.#words, WAITING) > 0) this.#wake();
  }

  /** Shares the lock, waiting until that is possible. */
  async share(): Promise<void> {
    for (;;) {
      const seen = Atomics.load(this.#words, DOORBELL);
      if (this.tryShare()) return;
      await this.#wait(seen);
    }
  }

  /** Takes the lock exclusively, waiting until all shares were given back. */
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

  /** Gives the exclusive lock back. */
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
