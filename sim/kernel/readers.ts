import type { Clock } from "../determinism/clock.ts";
import type { DispatchPolicy } from "./policy.ts";

/** The options of {@linkcode Readers}. */
export interface ReadersOptions {
  /** Chooses the queue to wake. */
  readonly policy: DispatchPolicy;
  /** Measures the time that waking up takes. */
  readonly clock: Clock;
  /** Microseconds that waking up takes; at once if left out. */
  readonly wakeUs: (() => number) | undefined;
  /** Lets a reader take requests; returns whether it still waits. */
  readonly run: (queue: number) => boolean;
}

/** Queues that wait for a request: `fiq->waitq`. */
export class Readers {
  /** Readers that were woken and found nothing. */
  spuriousWakeups = 0;
  readonly #options: ReadersOptions;
  /** Queues that sleep, the longest-waiting first. */
  #asleep: number[] = [];
  /** Queues that were woken and do not run yet. */
  readonly #waking: Set<number> = new Set();

  /** Makes an empty list. */
  constructor(options: ReadersOptions) {
    this.#options = options;
  }

  /** Adds a queue at the end. */
  add(queue: number): void {
    this.#asleep.push(queue);
  }

  /** Removes a queue that no longer waits. */
  remove(queue: number): void {
    const at = this.#asleep.indexOf(queue);
    if (at >= 0 && at === this.#asleep.length - 1) this.#asleep.pop();
    else if (at >= 0) this.#asleep.splice(at, 1);
    if (this.#waking.size > 0) this.#waking.delete(queue);
  }

  /** Removes all queues. */
  clear(): void {
    this.#asleep = [];
    this.#waking.clear();
  }

  /**
   * Wakes the reader of a new request: `wake_up(&fiq->waitq)`.
   *
   * @param queue The queue that the request is bound to; -1 for any.
   */
  wake(queue: number): void {
    const { policy } = this.#options;
    if (queue >= 0) {
      if (this.#asleep.includes(queue)) this.#start(queue);
      return;
    }
    if (this.#asleep.length === 0) return;
    const first = policy.wake(this.#asleep);
    if (policy.wakesAll !== true) return this.#start(first);
    const others = this.#asleep.filter((each) => each !== first);
    this.#start(first);
    for (const other of others) {
      if (this.#asleep.includes(other)) this.#start(other);
    }
  }

  #start(queue: number): void {
    const { clock, wakeUs } = this.#options;
    if (wakeUs === undefined) return this.#run(queue);
    this.remove(queue);
    this.#waking.add(queue);
    clock.after(wakeUs(), () => {
      // It has taken a request or was closed in the meantime.
      if (!this.#waking.delete(queue)) return;
      this.#asleep.push(queue);
      this.#run(queue);
    });
  }

  /** A reader that finds nothing goes to the end of the list. */
  #run(queue: number): void {
    const before = this.#asleep.indexOf(queue);
    if (!this.#options.run(queue)) return;
    this.spuriousWakeups++;
    if (before >= 0 && this.#asleep[before] === queue) {
      this.#asleep.splice(before, 1);
      this.#asleep.push(queue);
    }
  }
}
