/** Index of the number of threads that are in a call. */
const BLOCKED = 0;
/** Index of the number of threads. */
const THREADS = 1;

/**
 * Limits how many of several threads may be in a system call that may block,
 * however long it takes: all but one, so that one thread always goes on.
 */
export class BlockingCalls {
  /** Words of shared memory that it takes. */
  static readonly WORDS = 2;
  readonly #words: Int32Array<SharedArrayBuffer>;

  /**
   * Wraps its memory.
   *
   * @param words {@linkcode BlockingCalls.WORDS} words.
   */
  constructor(words: Int32Array<SharedArrayBuffer>) {
    this.#words = words;
  }

  /** Makes its memory, for a number of threads. */
  static create(threads: number): Int32Array<SharedArrayBuffer> {
    const bytes = BlockingCalls.WORDS * Int32Array.BYTES_PER_ELEMENT;
    const words = new Int32Array(new SharedArrayBuffer(bytes));
    words[THREADS] = threads;
    return words;
  }

  /** Enters a call, unless all other threads are in one. */
  tryEnter(): boolean {
    const words = this.#words;
    const others = Atomics.load(words, THREADS) - 1;
    if (Atomics.add(words, BLOCKED, 1) < others) return true;
    Atomics.sub(words, BLOCKED, 1);
    return false;
  }

  /** Leaves a call. */
  leave(): void {
    Atomics.sub(this.#words, BLOCKED, 1);
  }

  /** Notes that one of the threads has ended. */
  threadEnded(): void {
    Atomics.sub(this.#words, THREADS, 1);
  }
}
