/** Words from one thread's counters to the next one's: a cache line. */
const STRIDE = 16;
/** Index of the current epoch; it wraps around. */
const EPOCH = 0;
/** Index of the first thread's counters. */
const COUNTERS = STRIDE;

/**
 * Tells when everything that had begun before a change has ended.
 *
 * A request counts itself under the epoch in which it begins. The epoch can
 * advance while no request of the one before is left, so requests belong to two
 * epochs at most: what was taken out of use during epoch `e` is used by no
 * request once the epoch is `e + 2`.
 *
 * A thread that dies leaves its counts: nothing is then reused any more.
 */
export class Epochs {
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #own: number;

  /** Words of shared memory for a number of threads. */
  static words(threads: number): number {
    return COUNTERS + STRIDE * threads;
  }

  /** Wraps the memory, in the thread of a number. */
  constructor(words: Int32Array<SharedArrayBuffer>, thread: number) {
    this.#words = words;
    this.#own = COUNTERS + STRIDE * thread;
  }

  /** The current epoch. */
  get current(): number {
    return Atomics.load(this.#words, EPOCH);
  }

  /** Begins a request; returns what to leave. */
  enter(): number {
    const words = this.#words;
    for (;;) {
      const epoch = Atomics.load(words, EPOCH);
      const counter = this.#own + (epoch & 1);
      Atomics.add(words, counter, 1);
      // Who advanced the epoch before may not have seen the count.
      if (Atomics.load(words, EPOCH) === epoch) return counter;
      Atomics.sub(words, counter, 1);
    }
  }

  /** Ends a request. */
  leave(counter: number): void {
    Atomics.sub(this.#words, counter, 1);
  }

  /** Advances the epoch if no request of the one before is left. */
  tryAdvance(): boolean {
    const words = this.#words;
    const epoch = Atomics.load(words, EPOCH);
    const other = (epoch + 1) & 1;
    for (let at = COUNTERS + other; at < words.length; at += STRIDE) {
      if (Atomics.load(words, at) !== 0) return false;
    }
    const next = epoch + 1 | 0;
    return Atomics.compareExchange(words, EPOCH, epoch, next) === epoch;
  }

  /** Whether no request is left that began in an epoch or before it. */
  isOver(epoch: number): boolean {
    return (this.current - epoch | 0) >= 2;
  }
}
