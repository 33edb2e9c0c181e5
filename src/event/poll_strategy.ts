import { US_PER_MS } from "../base/timespec.ts";

/**
 * How long to poll before sleeping: `auto`, or a fixed number of microseconds;
 * 0 sleeps at once.
 *
 * @category Serving
 */
export type PollUs = "auto" | number;

/** Longest polling of `auto` in microseconds: a few wake-ups of an idle core. */
const AUTO_MAX_US = 50;
/** The first window of `auto` in microseconds. */
const AUTO_FIRST_US = 10;
/** Requests in one go from which on polling only breaks them up. */
const BATCH = 2;

/**
 * What a {@linkcode PollStrategy} needs of the system.
 *
 * @category Serving
 */
export interface PollOptions {
  /** Lets whoever else wants this core have it; nobody if left out. */
  readonly yieldCpu?: () => void;
  /** A clock in milliseconds; `performance.now` if left out. */
  readonly now?: () => number;
}

/**
 * Decides, before each sleep, for how long to poll first.
 *
 * Waking a core that has gone idle takes longer than answering, so polling
 * pays where requests come one at a time and close together; it burns a core
 * where they do not. As the kernel's own halt polling does, `auto` doubles the
 * window while waits are shorter than the longest one, and gives it up step by
 * step once they are longer: an idle queue polls for less than a tenth of a
 * millisecond in all, and then sleeps.
 *
 * A poller also takes the core from whoever else is to run there, the client
 * that it waits for included. So it gives way all the time: then it is only in
 * the way of the core's going idle.
 *
 * @category Serving
 */
export class PollStrategy {
  readonly #fixed: number | null;
  readonly #yieldCpu: () => void;
  readonly #now: () => number;
  #window = 0;

  /**
   * Makes a strategy.
   *
   * @param pollUs `auto`, or microseconds.
   * @param options The system.
   */
  constructor(pollUs: PollUs = "auto", options: PollOptions = {}) {
    this.#fixed = pollUs === "auto" ? null : pollUs;
    this.#yieldCpu = options.yieldCpu ?? (() => {});
    this.#now = options.now ?? (() => performance.now());
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
   * Polls until something came or the window is over.
   *
   * @param window Microseconds.
   * @param polls How often to poll before giving way.
   * @param came Whether something came.
   * @returns Whether something came.
   */
  poll(window: number, polls: number, came: () => boolean): boolean {
    let end = 0;
    for (let i = 1; !came(); i++) {
      // The first go without a look at the clock, which costs more than they.
      if (i % polls !== 0) continue;
      const now = this.#now();
      if (end === 0) end = now + window / US_PER_MS;
      else if (now >= end) return came();
      this.#yieldCpu();
    }
    return true;
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
