/**
 * A readers-writer lock between Workers.
 *
 * @module
 */
import { futexWait, futexWake } from "./futex.ts";

/** Index of the exclusive owner: its number as a holder plus 1, 0 if none. */
const OWNER = 0;
/** Index of the word that counts wake-ups. */
const DOORBELL = 1;
/** Index of the first holder's number of shares. */
const SHARES = 32;
/**
 * Words from one holder's to the next one's: two cache lines, because CPUs
 * fetch them in pairs.
 */
const STRIDE = 32;
/** Shares of a holder that is gone; less than any count of late releases. */
const REVOKED = -(2 ** 30);

/** The options of a {@linkcode SharedRwLock}. */
export interface SharedRwLockOptions {
  /** Which of the holders this thread is; 0 if left out. */
  readonly holder?: number;
  /**
   * Whether no other thread uses the lock; no if left out. Waiters are then
   * woken through promises alone, in a reproducible order.
   */
  readonly oneThread?: boolean;
}

/**
 * A lock in shared memory that many callers share or one caller holds
 * exclusively. While a caller owns it, or waits for the last sharer as its next
 * owner, others that want to share it wait.
 *
 * Shares are counted by holder, one for each thread, in a word of its own: a
 * thread that dies leaves a number that {@linkcode SharedRwLock.revoke} can
 * give back, and threads that share the lock do not contend for a cache line.
 *
 * No call blocks the thread, because the holder of the lock may need this
 * thread to finish.
 *
 * @category Exporting an image
 */
export class SharedRwLock {
  readonly #words: Int32Array<SharedArrayBuffer>;
  /** Index of this holder's number of shares. */
  readonly #own: number;
  /** The value of OWNER while this holder owns the lock. */
  readonly #owner: number;
  /** Callers that wait in this thread; `null` if other threads use the lock. */
  readonly #waiters: (() => void)[] | null;

  /** Words of shared memory that a lock takes for a number of holders. */
  static words(holders: number): number {
    return SHARES + STRIDE * holders;
  }

  /**
   * Wraps the memory of a lock.
   *
   * @param words {@linkcode SharedRwLock.words} words, zero when it is made.
   */
  constructor(
    words: Int32Array<SharedArrayBuffer>,
    { holder = 0, oneThread = false }: SharedRwLockOptions = {},
  ) {
    this.#words = words;
    this.#own = SHARES + STRIDE * holder;
    this.#owner = holder + 1;
    this.#waiters = oneThread ? [] : null;
  }

  /** Shares the lock, unless another caller owns it or is its next owner. */
  tryShare(): boolean {
    const words = this.#words;
    // The order matters: an owner sets OWNER first and then looks for shares.
    const before = Atomics.add(words, this.#own, 1);
    if (before >= 0 && Atomics.load(words, OWNER) === 0) return true;
    this.unshare();
    return false;
  }

  /** Releases a shared lock. */
  unshare(): void {
    const words = this.#words;
    const before = Atomics.sub(words, this.#own, 1);
    if (before === 1 && Atomics.load(words, OWNER) !== 0) this.#wake();
  }

  /**
   * Shares the lock; waits until that is possible.
   *
   * @throws {Error} If this holder was revoked.
   */
  async share(): Promise<void> {
    const words = this.#words;
    for (;;) {
      const seen = Atomics.load(words, DOORBELL);
      this.#checkHolder();
      if (Atomics.load(words, OWNER) === 0 && this.tryShare()) return;
      await this.#wait(seen);
    }
  }

  /**
   * Takes the lock exclusively; waits until all sharers have released it.
   *
   * @throws {Error} If this holder was revoked.
   */
  async lock(): Promise<void> {
    const words = this.#words;
    for (;;) {
      const seen = Atomics.load(words, DOORBELL);
      this.#checkHolder();
      if (Atomics.compareExchange(words, OWNER, 0, this.#owner) === 0) break;
      await this.#wait(seen);
    }
    try {
      for (;;) {
        const seen = Atomics.load(words, DOORBELL);
        this.#checkHolder();
        if (!this.#isShared()) return;
        await this.#wait(seen);
      }
    } catch (error) {
      this.unlock();
      throw error;
    }
  }

  /** Releases an exclusive lock. */
  unlock(): void {
    // After a revocation it belongs to another holder.
    Atomics.compareExchange(this.#words, OWNER, this.#owner, 0);
    this.#wake();
  }

  /**
   * Takes back everything that a holder has, because its thread is dead. What
   * that thread still does with the lock has no effect, and its waiting calls
   * fail.
   *
   * @returns Whether it owned the lock, which this holder now owns instead:
   * what the lock protects may be half changed; mend it, then call
   * {@linkcode SharedRwLock.unlock}.
   */
  revoke(holder: number): boolean {
    const words = this.#words;
    Atomics.store(words, SHARES + STRIDE * holder, REVOKED);
    const owner = holder + 1;
    const before = Atomics.compareExchange(words, OWNER, owner, this.#owner);
    this.#wake();
    return before === owner;
  }

  #isShared(): boolean {
    const words = this.#words;
    for (let at = SHARES; at < words.length; at += STRIDE) {
      if (Atomics.load(words, at) > 0) return true;
    }
    return false;
  }

  #checkHolder(): void {
    if (Atomics.load(this.#words, this.#own) >= 0) return;
    throw new Error("The lock was revoked from this thread");
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
