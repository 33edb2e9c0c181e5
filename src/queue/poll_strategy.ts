/**
 * How long to poll before sleeping: `auto`, or a fixed number of microseconds;
 * 0 sleeps at once.
 */
export type PollUs = "auto" | number;

/** Longest polling of `auto` in microseconds: a few wake-ups of an idle core. */
const AUTO_MAX_US = 50;
/** The first window of `auto` in microseconds. */
const AUTO_FIRST_US = 10;
/** Requests in one go from which on polling only breaks them up. */
const BATCH = 2;

/**
 * Decides, before each sleep, for how long to poll first.
 *
 * Waking a core that has gone idle takes longer than answering, so polling
 * pays where requests come one at a time and close together; it burns a core
 * where they do not. As the kernel's own halt polling does, `auto` doubles the
 * window while waits are shorter than the longest one, and gives it up step by
 * step once they are longer: an idle queue polls for less than a tenth of a
 * millisecond in all, and then sleeps.
 */
export class PollStrategy {
  readonly #fixed: number | null;
  #window = 0;

  /**
   * Makes a strategy.
   *
   * @param pollUs `auto`, or microseconds.
   */
  constructor(pollUs: PollUs = "auto") {
    this.#fixed = pollUs === "auto" ? null : pollUs;
  }

  /** Whether it needs to hear how long waits were. */
  get adapts(): boolean {
    return this.#fixed === null;
  }

  /**
   * For how long to poll now, in microseconds; 0 for not at all.
   *
   * @param batch How many requests came with the last fetch.
   */
  window(batch: number): number {
    return batch >= BATCH ? 0 : this.#fixed ?? this.#window;
  }

  /**
   * Notes how long a wait took, polled or slept through.
   *
   * @param us Microseconds from the wish for a request to its arrival.
   */
  waited(us: number): void {
    if (us <= AUTO_MAX_US) {
      const twice = Math.max(AUTO_FIRST_US, this.#window * 2);
      this.#window = Math.min(AUTO_MAX_US, twice);
    } else if (this.#window > 0) {
      this.#window = this.#window > AUTO_FIRST_US ? this.#window >> 1 : 0;
    }
  }
}
