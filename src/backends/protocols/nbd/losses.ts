/** How many connections were made. */
const EPOCH = 0;
/** From here on a word for each thread: the epoch of its oldest unflushed write. */
const UNFLUSHED = 1;
const THREADS_MAX = 512;

/** Unflushed writes of a thread, by its word and their epoch. */
export type Unflushed = readonly [word: number, epoch: number];

/**
 * What the threads of an export share about writes that the server has answered
 * and may not have flushed. A server that was started anew may have lost them,
 * and nothing tells it from one whose connection was cut.
 *
 * Every connection that is made begins an epoch, and a write has the epoch in
 * which it was sent. A flush over a connection says something of a write only if
 * the write was sent after the connection was made: the server has been the same
 * since then, or the connection would have ended with it. All other writes are
 * doubtful.
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

  /** A connection has been made; returns its epoch. */
  connected(): number {
    return Atomics.add(this.#words, EPOCH, 1) + 1;
  }

  /** The epoch of what is sent now. */
  get epoch(): number {
    return Atomics.load(this.#words, EPOCH);
  }

  /** Whether there are writes that were answered and not flushed. */
  get hasUnflushed(): boolean {
    return this.#words.subarray(UNFLUSHED).some((_, i) =>
      Atomics.load(this.#words, UNFLUSHED + i) !== 0
    );
  }

  /** Notes a write that was answered before it is known to be durable. */
  wrote(epoch: number): void {
    this.#note(this.#thread, epoch);
  }

  /**
   * A flush begins, over a connection of some epoch.
   *
   * @returns The writes that it covers, for `flushFailed()`; `null` if others are
   * doubtful, which are forgotten, so that they are told of once.
   */
  flushBegins(connection: number): readonly Unflushed[] | null {
    const covered: Unflushed[] = [];
    let isDoubtful = false;
    for (let word = UNFLUSHED; word < this.#words.length; word++) {
      const epoch = Atomics.exchange(this.#words, word, 0);
      if (epoch === 0) continue;
      if (epoch < connection) isDoubtful = true;
      else covered.push([word, epoch]);
    }
    if (!isDoubtful) return covered;
    this.flushFailed(covered);
    return null;
  }

  /** That flush has failed: what it covered is still not flushed. */
  flushFailed(covered: readonly Unflushed[]): void {
    for (const [word, epoch] of covered) this.#note(word, epoch);
  }

  /** The oldest write counts. */
  #note(word: number, epoch: number): void {
    for (;;) {
      const noted = Atomics.load(this.#words, word);
      if (noted !== 0 && noted <= epoch) return;
      const before = Atomics.compareExchange(this.#words, word, noted, epoch);
      if (before === noted) return;
    }
  }
}
