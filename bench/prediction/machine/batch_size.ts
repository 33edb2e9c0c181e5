/** READs of a batch at most. */
const LARGEST = 16;
/** Requests in a row that were there at once before a batch is worth it. */
const PATIENCE = 2;
const PATIENCE_MAX = 64;
/** Requests from which a batch takes less time than reading them singly. */
const WORTHWHILE = 3;

/**
 * How many requests a queue over /dev/fuse reads at a time: the rule of
 * `RequestBatch` in src/queue, without its limit for slow images.
 */
export class BatchSize {
  #size = 0;
  #patience = PATIENCE;
  #atOnce = 0;

  /** Requests to read now. */
  get next(): number {
    return Math.max(1, this.#size);
  }

  /**
   * Notes how many came.
   *
   * @param count Their number.
   * @param isAtOnce Whether they were there without waiting.
   */
  came(count: number, isAtOnce: boolean): void {
    if (this.#size === 0) {
      this.#atOnce = isAtOnce ? this.#atOnce + 1 : 0;
      if (this.#atOnce < this.#patience) return;
      this.#size = WORTHWHILE;
      this.#atOnce = 0;
    } else if (count >= WORTHWHILE) {
      const isEnough = count === this.#size;
      this.#size = Math.min(isEnough ? 2 * count : count + 1, LARGEST);
      this.#patience = PATIENCE;
    } else {
      this.#size = 0;
      this.#patience = Math.min(2 * this.#patience, PATIENCE_MAX);
    }
  }
}
