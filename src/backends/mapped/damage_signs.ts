/**
 * Tables that make no sense, found while an image is used. The user is told of
 * the first one, whichever thread finds it.
 */
export class DamageSigns {
  /** Marks the image, and ends that it is written to; if it is. */
  mark: (() => void) | null = null;
  readonly #told: Int32Array<SharedArrayBuffer>;
  readonly #name: string;
  readonly #tell: (text: string) => void;
  readonly #advice: string;

  /** Makes the memory that the threads of an image share. */
  static create(): SharedArrayBuffer {
    return new SharedArrayBuffer(4);
  }

  /**
   * Wraps the memory.
   *
   * @param name The image's name.
   * @param tell Receives a sentence.
   * @param advice What to do.
   */
  constructor(
    memory: SharedArrayBuffer,
    name: string,
    tell: (text: string) => void,
    advice: string,
  ) {
    this.#told = new Int32Array(memory);
    this.#name = name;
    this.#tell = tell;
    this.#advice = advice;
  }

  /**
   * Notes damage.
   *
   * @param what What is damaged, such as "the entry of byte 512".
   */
  found(what: string): void {
    if (Atomics.exchange(this.#told, 0, 1) !== 0) return;
    const { mark } = this;
    const effect = mark === null
      ? "what it says cannot be read"
      : "the image is marked as corrupt and takes no more writes";
    this.#tell(
      `${this.#name} is damaged: ${what} makes no sense, so ${effect}; ${this.#advice}`,
    );
    mark?.();
  }
}
