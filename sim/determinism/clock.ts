/**
 * Virtual time in microseconds, which advances only when nothing is left to do
 * at the present instant, and the CPUs that work in it.
 *
 * @module
 */

/**
 * A source of time that can also call back later.
 *
 * @category Time and chance
 */
export interface Clock {
  /** Microseconds since the start. */
  readonly now: number;
  /** Calls back after `us` microseconds. */
  after(us: number, callback: () => void): void;
}

/**
 * A clock that stands still: it never calls back.
 *
 * @category Time and chance
 */
export const STILL_CLOCK: Clock = { now: 0, after: () => {} };

interface Alarm {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
}

/**
 * Why {@linkcode VirtualClock.run} returned.
 *
 * @category Time and chance
 */
export type ClockStop =
  /** The condition became true. */
  | "done"
  /** No alarm is left, so nothing will happen any more. */
  | "idle"
  /** The time limit was reached. */
  | "timeout";

/**
 * Virtual time. Alarms of the same instant go off in the order in which they
 * were set, and all promises settle in between. So a run is the same each time.
 *
 * @example Wait for a virtual hour
 * ```ts
 * import { VirtualClock } from "@mqfuse/mqfuse/sim";
 * import { assertEquals } from "@std/assert";
 *
 * const clock = new VirtualClock();
 * let done = false;
 * clock.sleep(3600e6).then(() => done = true);
 * assertEquals(await clock.run(() => done), "done");
 * assertEquals(clock.now, 3600e6);
 * ```
 *
 * @category Time and chance
 */
export class VirtualClock implements Clock {
  #now = 0;
  #order = 0;
  #steps = 0;
  /** A binary heap with the next alarm at its root. */
  readonly #alarms: Alarm[] = [];

  /** Microseconds since the start. */
  get now(): number {
    return this.#now;
  }

  /** Alarms that have gone off so far. */
  get steps(): number {
    return this.#steps;
  }

  /** Calls back after `us` microseconds. */
  after(us: number, callback: () => void): void {
    const at = this.#now + Math.max(0, us);
    const alarm = { at, order: this.#order++, callback };
    const heap = this.#alarms;
    let i = heap.push(alarm) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (isBefore(heap[parent]!, alarm)) break;
      heap[i] = heap[parent]!;
      i = parent;
    }
    heap[i] = alarm;
  }

  /** Resolves after `us` microseconds. */
  sleep(us: number): Promise<void> {
    return new Promise((resolve) => this.after(us, resolve));
  }

  /**
   * Advances the time.
   *
   * @param done The condition to wait for; evaluated before each alarm.
   * @param until When to give up, in microseconds since the start.
   */
  async run(done: () => boolean, until: number = Infinity): Promise<ClockStop> {
    for (;;) {
      await settled();
      if (done()) return "done";
      const next = this.#alarms[0];
      if (next === undefined) {
        // Code that runs from turn to turn of the event loop sets no alarm.
        for (let turns = 0; turns < IDLE_TURNS; turns++) await settled();
        if (done()) return "done";
        if (this.#alarms.length > 0) continue;
        return "idle";
      }
      if (next.at > until) return "timeout";
      this.#now = next.at;
      this.#steps++;
      this.#pop();
      next.callback();
    }
  }

  #pop(): void {
    const heap = this.#alarms;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) {
        child++;
      }
      if (isBefore(last, heap[child]!)) break;
      heap[i] = heap[child]!;
      i = child;
    }
    heap[i] = last;
  }
}

const IDLE_TURNS = 64;

function isBefore(a: Alarm, b: Alarm): boolean {
  return a.at < b.at || a.at === b.at && a.order < b.order;
}

/** Resolves when every promise that can settle now has settled. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * The CPUs of a simulated machine: the number of pieces of work that can run at
 * the same time.
 */
export class Cores {
  readonly #clock: Clock;
  readonly #waiting: (() => void)[] = [];
  #idle: number;

  /** Makes a machine with `count` idle CPUs. */
  constructor(clock: Clock, count: number) {
    this.#clock = clock;
    this.#idle = count;
  }

  /** Calls back when a CPU has worked for `us` microseconds. */
  work(us: number, done: () => void): void {
    const run = () =>
      this.#clock.after(us, () => {
        this.#idle++;
        const next = this.#waiting.shift();
        if (next !== undefined) {
          this.#idle--;
          next();
        }
        done();
      });
    if (this.#idle === 0) {
      this.#waiting.push(run);
      return;
    }
    this.#idle--;
    run();
  }

  /** Resolves when a CPU has worked for `us` microseconds. */
  busy(us: number): Promise<void> {
    return new Promise((resolve) => this.work(us, resolve));
  }
}
