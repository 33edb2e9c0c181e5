import type { Clock } from "../determinism/clock.ts";
import type { DispatchPolicy } from "./policy.ts";

/** What {@linkcode Readers} work with. */
export interface ReadersOptions {
  /** Who is woken. */
  readonly policy: DispatchPolicy;
  /** Passes time while they wake up. */
  readonly clock: Clock;
  /** Microseconds that waking up takes; at once if left out. */
  readonly wakeUs: (() => number) | undefined;
  /** Has a reader take what it can; whether it still waits afterwards. */
  readonly run: (queue: number) => boolean;
}

/** Queues that wait for a request: `fiq->waitq`. */
export class Readers {
  /** Readers that were woken and found nothing. */
  spuriousWakeups = 0;
  readonly #options: ReadersOptions;
  /** Those who sleep, the longest-waiting first. */
  #asleep: number[] = [];
  /** Those who were woken and do not run yet. */
  readonly #waking: Set<number> = new Set();

  /** Makes a list of nobody. */
  constructor(options: ReadersOptions) {
    this.#options = options;
  }

  /** Puts a queue to sleep, behind all others. */
  add(queue: number): void {
    this.#asleep.push(queue);
  }

  /** Takes a queue out that waits no more. */
  remove(queue: number): void {
    const at = this.#asleep.indexOf(queue);
    if (at >= 0 && at === this.#asleep.length - 1) this.#asleep.pop();
    else if (at >= 0) this.#asleep.splice(at, 1);
    if (this.#waking.size > 0) this.#waking.delete(queue);
  }

  /** Forgets all. */
  clear(): void {
    this.#asleep = [];
    this.#waking.clear();
  }

  /**
   * Wakes whoever is to take a new request: `wake_up(&fiq->waitq)`.
   *
   * @param queue The one that it is bound to, -1 for any.
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
      // It has found something meanwhile, or has gone.
      if (!this.#waking.delete(queue)) return;
      this.#asleep.push(queue);
      this.#run(queue);
    });
  }

  /** A reader that finds nothing sleeps again, behind all others. */
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
