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
/** Completions at once from which polling would only split batches. */
const BATCH = 2;

/**
 * The options of a {@linkcode PollStrategy}.
 *
 * @category Serving
 */
export interface PollOptions {
  /** Yields the core, as sched_yield(2); does nothing if left out. */
  readonly yieldCpu?: () => void;
  /** A clock in milliseconds; `performance.now` if left out. */
  readonly now?: () => number;
}

/**
 * Decides how long to poll before each sleep.
 *
 * Waking an idle core takes longer than answering a request. So polling is
 * faster while requests come one at a time and close together; otherwise it
 * wastes a core. `auto` works like the kernel's halt polling: it doubles the
 * window while waits are shorter than the longest window, and halves it once
 * they are longer. An idle queue polls for less than 0.1 ms in all before it
 * sleeps.
 *
 * Polling also keeps other threads off the core, including the client that the
 * queue waits for. So the poller yields again and again: others can run, yet
 * the core never goes idle.
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
   * @param options What it uses of the system.
   */
  constructor(pollUs: PollUs = "auto", options: PollOptions = {}) {
    this.#fixed = pollUs === "auto" ? null : pollUs;
    this.#yieldCpu = options.yieldCpu ?? (() => {});
    this.#now = options.now ?? (() => performance.now());
  }

  /** Whether `waited()` has to be called. */
  get adapts(): boolean {
    return this.#fixed === null;
  }

  /**
   * How long to poll now, in microseconds; 0 for not at all.
   *
   * @param batch How many requests the last fetch brought.
   */
  window(batch: number): number {
    return batch >= BATCH ? 0 : this.#fixed ?? this.#window;
  }

  /**
   * Polls until there is something or the window is over. If there is something,
   * notes how long that took: the client may run for long in place of a poller
   * that yields to it, and then polling saves nothing.
   *
   * @param window Microseconds.
   * @param polls Polls in a row before the core is yielded.
   * @param isPending Whether there is something.
   * @returns Whether there is something.
   */
  poll(window: number, polls: number, isPending: () => boolean): boolean {
    let start = 0;
    for (let i = 1; !isPending(); i++) {
      // The first polls cost less than reading the clock would.
      if (i % polls !== 0) continue;
      const now = this.#now();
      if (start === 0) start = now;
      else if (now >= start + window / US_PER_MS) {
        if (isPending()) break;
        return false;
      }
      this.#yieldCpu();
    }
    this.waited(start === 0 ? 0 : (this.#now() - start) * US_PER_MS);
    return true;
  }

  /**
   * Notes how long a wait took, polling and sleeping.
   *
   * @param us Microseconds.
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
