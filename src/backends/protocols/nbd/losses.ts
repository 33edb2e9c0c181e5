/** The generation of connections; it grows when the server may be another one. */
const GENERATION = 0;
/** From here on a word for each thread: whether it has unflushed writes. */
const UNFLUSHED = 1;
const THREADS_MAX = 512;

/**
 * What the threads of an export share about writes that the server has answered
 * and may not have flushed. A server that was started anew may have lost them,
 * and nothing tells it from one whose connection was cut. So a lost connection
 * makes all of them doubtful, and the next fsync of every handle says so.
 */
export class NbdLosses {
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #thread: number;

  /** Makes the memory of an export. */
  static create(): SharedArrayBuffer {
    return new SharedArrayBuffer(4 * (UNFLUSHED + THREADS_MAX));
  }

  /**
   * Wraps the memory in one thread.
   *
   * @param queue The queue that it serves; `null` for the one that opened it.
   */
  constructor(memory: SharedArrayBuffer, queue: number | null) {
    this.#words = new Int32Array(memory);
    this.#thread = UNFLUSHED + (queue === null ? 0 : queue + 1);
  }

  /** The generation of a connection that is made now. */
  get generation(): number {
    return Atomics.load(this.#words, GENERATION);
  }

  /** Notes a write that was answered before it is known to be durable. */
  wrote(): void {
    Atomics.store(this.#words, this.#thread, 1);
  }

  /**
   * A flush begins, which covers all writes that were answered until now.
   *
   * @returns The threads that have such writes, for `flushFailed()`.
   */
  flushBegins(): readonly number[] {
    const covered: number[] = [];
    for (let i = UNFLUSHED; i < this.#words.length; i++) {
      if (Atomics.exchange(this.#words, i, 0) !== 0) covered.push(i);
    }
    return covered;
  }

  /** That flush has failed: what it covered is still not flushed. */
  flushFailed(covered: readonly number[]): void {
    for (const i of covered) Atomics.store(this.#words, i, 1);
  }

  /**
   * A connection was lost.
   *
   * @param generation What `generation` was when it was made.
   * @returns Whether writes that were answered may be lost.
   */
  lost(generation: number): boolean {
    const words = this.#words;
    const next = generation + 1 | 0;
    const isFirst =
      Atomics.compareExchange(words, GENERATION, generation, next) ===
        generation;
    // Another thread has noticed the same: then only this thread's own count.
    if (!isFirst) return Atomics.exchange(words, this.#thread, 0) !== 0;
    return this.flushBegins().length > 0;
  }
}
