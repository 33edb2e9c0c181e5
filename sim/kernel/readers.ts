import type { Clock } from "../determinism/clock.ts";
import type { DispatchPolicy } from "./policy.ts";

/**
 * Called when a reader that was woken runs.
 *
 * `from` is when it was woken, in microseconds of the clock; `found` says
 * whether it has found a request.
 *
 * @category Kernel
 */
export type WakeListener = (
  queue: number,
  from: number,
  found: boolean,
) => void;

/** The options of {@linkcode Readers}. */
export interface ReadersOptions {
  /** Chooses the queue to wake. */
  readonly policy: DispatchPolicy;
  /** Measures the time that waking up takes. */
  readonly clock: Clock;
  /** Microseconds that waking up takes; at once if left out. */
  readonly wakeUs: (() => number) | undefined;
  /** Called when a reader that was woken runs. */
  readonly onWake: WakeListener | undefined;
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
    const { clock, wakeUs, onWake } = this.#options;
    if (wakeUs === undefined) {
      this.#run(queue);
      return;
    }
    const from = clock.now;
    this.remove(queue);
    this.#waking.add(queue);
    clock.after(wakeUs(), () => {
      // It has taken a request or was closed in the meantime.
      if (!this.#waking.delete(queue)) return;
      this.#asleep.push(queue);
      const found = this.#run(queue);
      onWake?.(queue, from, found);
    });
  }

  /**
   * Lets a reader run; one that finds nothing goes to the end of the list.
   *
   * @returns Whether it has found a request.
   */
  #run(queue: number): boolean {
    const before = this.#asleep.indexOf(queue);
    if (!this.#options.run(queue)) return true;
    this.spuriousWakeups++;
    if (before >= 0 && this.#asleep[before] === queue) {
      this.#asleep.splice(before, 1);
      this.#asleep.push(queue);
    }
    return false;
  }
}
