import { Random } from "../../sim/determinism/random.ts";

/** An event at an instant of virtual time. */
export interface Runnable {
  /** Runs the event. */
  run(): void;
}

/** Virtual time in microseconds, with the events to come. */
export class Engine {
  /** The time now, in microseconds. */
  now = 0;
  // why: a heap in three plain arrays; one object an event was half as fast
  readonly #times: number[] = [];
  readonly #orders: number[] = [];
  readonly #events: Runnable[] = [];
  #order = 0;

  /**
   * Schedules an event. Events of the same instant run in the order in which
   * they were scheduled.
   *
   * @param delay Microseconds from now.
   * @param event The event.
   */
  after(delay: number, event: Runnable): void {
    const time = this.now + delay;
    const order = this.#order++;
    let at = this.#times.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#times[parent]! <= time) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#place(at, time, order, event);
  }

  /** Runs the next event; returns false if there is none. */
  step(): boolean {
    const event = this.#events[0];
    if (event === undefined) return false;
    this.now = this.#times[0]!;
    const time = this.#times.pop()!;
    const order = this.#orders.pop()!;
    const last = this.#events.pop()!;
    if (this.#times.length > 0) this.#sink(time, order, last);
    event.run();
    return true;
  }

  #sink(time: number, order: number, event: Runnable): void {
    const length = this.#times.length;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= length) break;
      if (child + 1 < length && this.#before(child + 1, child)) child++;
      const due = this.#times[child]!;
      if (due > time || due === time && this.#orders[child]! > order) break;
      this.#move(child, at);
      at = child;
    }
    this.#place(at, time, order, event);
  }

  #before(one: number, other: number): boolean {
    const difference = this.#times[one]! - this.#times[other]!;
    return difference < 0 ||
      difference === 0 && this.#orders[one]! < this.#orders[other]!;
  }

  #move(from: number, to: number): void {
    this.#times[to] = this.#times[from]!;
    this.#orders[to] = this.#orders[from]!;
    this.#events[to] = this.#events[from]!;
  }

  #place(at: number, time: number, order: number, event: Runnable): void {
    this.#times[at] = time;
    this.#orders[at] = order;
    this.#events[at] = event;
  }
}

/** Random durations that depend only on the seed. */
export class RandomTimes extends Random {
  /** A duration of CPU work: `mean`, plus or minus ten percent at most. */
  work(mean: number): number {
    return mean * (0.9 + 0.2 * this.fraction());
  }

  /**
   * A latency: `mean` on average, at least four fifths of it, with a long tail.
   */
  latency(mean: number): number {
    return mean * (0.8 - 0.2 * Math.log(1 - this.fraction()));
  }
}
