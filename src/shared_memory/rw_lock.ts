/** Taken by writers: more than there can be readers. */
const WRITER = -(2 ** 30);
const STATE = 0;
const WAITING = 1;
const BELL = 2;

/**
 * A lock that many may share or one may have alone, over words of shared
 * memory, so that it holds between Workers. A request for the whole lock goes
 * before later requests to share it.
 *
 * Nothing here blocks a thread: an answer that is still outstanding on the
 * same thread may be what the lock waits for.
 */
export class SharedLock {
  /** Words of shared memory that a lock takes. */
  static readonly WORDS = 3;
  readonly #words: Int32Array<SharedArrayBuffer>;
  /** Who waits in this thread, where no other one uses the lock. */
  readonly #waiting: (() => void)[] | null;

  /**
   * Looks at a lock.
   *
   * @param words {@linkcode SharedLock.WORDS} words that were zero at first.
   * @param oneThread Whether no other thread uses it: whoever waits is then
   * woken by a promise alone, at the same point each time.
   */
  constructor(
    words: Int32Array<SharedArrayBuffer>,
    oneThread: boolean = false,
  ) {
    this.#words = words;
    this.#waiting = oneThread ? [] : null;
  }

  /** Shares the lock, if nobody has it alone or waits for that. */
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
    if (before === 1 && Atomics.load(this.#words, WAITING) > 0) this.#ring();
  }

  /** Shares the lock as soon as it can be shared. */
  async share(): Promise<void> {
    for (;;) {
      const seen = Atomics.load(this.#words, BELL);
      if (this.tryShare()) return;
      await this.#rung(seen);
    }
  }

  /** Takes the whole lock as soon as nobody else has a part of it. */
  async lock(): Promise<void> {
    const words = this.#words;
    Atomics.add(words, WAITING, 1);
    for (;;) {
      const seen = Atomics.load(words, BELL);
      if (Atomics.compareExchange(words, STATE, 0, WRITER) === 0) break;
      await this.#rung(seen);
    }
    Atomics.sub(words, WAITING, 1);
  }

  /** Gives the whole lock back. */
  unlock(): void {
    Atomics.sub(this.#words, STATE, WRITER);
    this.#ring();
  }

  #ring(): void {
    Atomics.add(this.#words, BELL, 1);
    Atomics.notify(this.#words, BELL);
    for (const wake of this.#waiting?.splice(0) ?? []) wake();
  }

  async #rung(seen: number): Promise<void> {
    const waiting = this.#waiting;
    if (waiting !== null) {
      return await new Promise((resolve) => waiting.push(resolve));
    }
    const wait = Atomics.waitAsync(this.#words, BELL, seen);
    if (!wait.async) return;
    // waitAsync alone does not keep the event loop, and with it the wait, alive.
    const alive = setInterval(() => {}, 1 << 30);
    await wait.value;
    clearInterval(alive);
  }
}
