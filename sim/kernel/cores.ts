import type { Clock } from "../determinism/clock.ts";
import { Fifo } from "./fifo.ts";

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
