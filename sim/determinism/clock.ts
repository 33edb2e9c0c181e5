/**
 * Time for a simulation: microseconds that pass only when nothing is
 * left to do at the present instant.
 *
 * @module
 */
import { Fifo } from "../kernel/fifo.ts";

/** Whoever tells the time and wakes others. */
export interface Clock {
  /** Microseconds since the start. */
  readonly now: number;
  /** Calls back after some microseconds. */
  after(us: number, callback: () => void): void;
}

/** Time that stands still: what waits for it waits for ever. */
export const STILL_CLOCK: Clock = { now: 0, after: () => {} };

interface Alarm {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
}

/** Why {@linkcode VirtualClock.run} came back. */
export type ClockStop =
  /** What was waited for has come. */
  | "done"
  /** Nothing will ever happen any more. */
  | "idle"
  /** The time is up. */
  | "late";

/**
 * Virtual time. Alarms of the same instant go off in the order in which they
 * were set, and the thread's own promises settle in between, so that a run is
 * the same each time.
 */
export class VirtualClock implements Clock {
  #now = 0;
  #order = 0;
  #steps = 0;
  /** A binary heap, the next alarm first. */
  readonly #alarms: Alarm[] = [];

  /** Microseconds since the start. */
  get now(): number {
    return this.#now;
  }

  /** Alarms that went off so far. */
  get steps(): number {
    return this.#steps;
  }

  /** Calls back after some microseconds. */
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

  /** Resolves after some microseconds. */
  sleep(us: number): Promise<void> {
    return new Promise((resolve) => this.after(us, resolve));
  }

  /**
   * Lets time pass.
   *
   * @param done Whether what is waited for has come; asked at each step.
   * @param until When to give up, in microseconds since the start.
   */
  async run(done: () => boolean, until: number = Infinity): Promise<ClockStop> {
    for (;;) {
      await settled();
      if (done()) return "done";
      const next = this.#alarms[0];
      if (next === undefined) {
        // A burst of requests may still hand itself from turn to turn.
        for (let turns = 0; turns < IDLE_TURNS; turns++) await settled();
        if (done()) return "done";
        if (this.#alarms.length > 0) continue;
        return "idle";
      }
      if (next.at > until) return "late";
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

/** Resolves when every promise that can be settled now has been. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The CPUs of a simulated machine: so many do something at the same time. */
export class Cores {
  readonly #clock: Clock;
  readonly #waiting: Fifo<() => void> = new Fifo();
  #idle: number;

  /** Makes a machine whose CPUs are idle. */
  constructor(clock: Clock, count: number) {
    this.#clock = clock;
    this.#idle = count;
  }

  /** Calls back when a CPU has worked for some microseconds. */
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
    if (this.#idle === 0) return this.#waiting.push(run);
    this.#idle--;
    run();
  }

  /** Resolves when a CPU has worked for some microseconds. */
  busy(us: number): Promise<void> {
    return new Promise((resolve) => this.work(us, resolve));
  }
}
