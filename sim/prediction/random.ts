/** Random numbers that depend on their seed alone: mulberry32. */
export class Random {
  #state: number;

  /** Starts a sequence. */
  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** A number from 0 up to and without 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** About `mean`, at most a tenth more or less: a piece of CPU work. */
  work(mean: number): number {
    return mean * (0.9 + 0.2 * this.next());
  }

  /** `mean` on average, never below four fifths, with a tail: a latency. */
  latency(mean: number): number {
    return mean * (0.8 - 0.2 * Math.log(1 - this.next()));
  }
}
