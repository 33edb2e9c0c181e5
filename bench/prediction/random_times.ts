import { Random } from "../../sim/determinism/random.ts";

/** How long things take, about: numbers that depend on their seed alone. */
export class RandomTimes extends Random {
  /** About `mean`, at most a tenth more or less: a piece of CPU work. */
  work(mean: number): number {
    return mean * (0.9 + 0.2 * this.fraction());
  }

  /** `mean` on average, never below four fifths, with a tail: a latency. */
  latency(mean: number): number {
    return mean * (0.8 - 0.2 * Math.log(1 - this.fraction()));
  }
}
