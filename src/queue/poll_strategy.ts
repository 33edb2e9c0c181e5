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
/** A step of polling that takes so long was interrupted by somebody. */
const INTERRUPTED_US = 25;
/** Waits without polling after somebody else wanted the core. */
const PENALTY = 200;
const US_PER_MS = 1000;

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
 * that it waits for included. When its own clock jumps, it has been in the way,
 * and sleeps for a while instead. So of several queues that poll, those go to
 * sleep whose cores are needed.
 */
export class PollStrategy {
  readonly #fixed: number | null;
  #window = 0;
  #penalty = 0;

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
   * Polls until something came or the window is over.
   *
   * @param window Microseconds.
   * @param polls How often to poll between two looks at the clock.
   * @param came Whether something came.
   * @param now The clock, in milliseconds; `performance.now` if left out.
   * @returns Whether something came.
   */
  poll(
    window: number,
    polls: number,
    came: () => boolean,
    now: () => number = clock,
  ): boolean {
    let last = 0;
    let end = 0;
    for (let i = 1; !came(); i++) {
      // Looking at the clock costs as much as many polls; the first go without.
      if (i % polls !== 0) continue;
      const time = now();
      if (end === 0) {
        end = time + window / US_PER_MS;
      } else if ((time - last) * US_PER_MS > INTERRUPTED_US) {
        this.#interrupted();
        return came();
      } else if (time >= end) {
        return false;
      }
      last = time;
    }
    return true;
  }

  /**
   * Notes how long a wait took, polled or slept through.
   *
   * @param us Microseconds from the wish for a request to its arrival.
   */
  waited(us: number): void {
    if (this.#penalty > 0) {
      this.#penalty--;
    } else if (us <= AUTO_MAX_US) {
      const twice = Math.max(AUTO_FIRST_US, this.#window * 2);
      this.#window = Math.min(AUTO_MAX_US, twice);
    } else if (this.#window > 0) {
      this.#window = this.#window > AUTO_FIRST_US ? this.#window >> 1 : 0;
    }
  }

  #interrupted(): void {
    if (!this.adapts) return;
    this.#window = 0;
    this.#penalty = PENALTY;
  }
}

function clock(): number {
  return performance.now();
}
