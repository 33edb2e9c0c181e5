/**
 * A limit on the bytes that one thread has sent and another one has not yet
 * received.
 *
 * @module
 */

/** Index of the bytes that are on their way. */
const IN_FLIGHT = 0;

/** Limits the bytes on their way between two threads; both wrap its memory. */
export class ByteBudget {
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #max: number;

  /**
   * Wraps its memory.
   *
   * @param words The memory, of {@linkcode ByteBudget.create}.
   * @param max The limit in bytes. What is taken last may exceed it.
   */
  constructor(words: Int32Array<SharedArrayBuffer>, max: number) {
    this.#words = words;
    this.#max = max;
  }

  /** Makes its memory. */
  static create(): Int32Array<SharedArrayBuffer> {
    const size = Int32Array.BYTES_PER_ELEMENT;
    return new Int32Array(new SharedArrayBuffer(size));
  }

  /**
   * Takes some bytes, unless the limit has been reached; they may exceed it. For
   * the thread that sends.
   *
   * @returns Whether they may be sent.
   */
  tryTake(bytes: number): boolean {
    if (Atomics.load(this.#words, IN_FLIGHT) >= this.#max) return false;
    Atomics.add(this.#words, IN_FLIGHT, bytes);
    return true;
  }

  /** Gives back bytes that have arrived. For the thread that receives. */
  giveBack(bytes: number): void {
    Atomics.sub(this.#words, IN_FLIGHT, bytes);
  }
}
