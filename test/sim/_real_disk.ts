import type { Random } from "../../sim/determinism/random.ts";

/** A write to a {@linkcode RealDisk} that has not reached every place. */
export interface RealWrite {
  readonly at: number;
  readonly mark: number;
  /** The places that it has not reached. */
  readonly left: Set<number>;
}

/**
 * A disk as there may be one: writes reach one place after another, in any
 * order, at any time between their begin and their end.
 */
export class RealDisk {
  readonly #places: number[];
  readonly #random: Random;
  readonly #writes: Set<RealWrite> = new Set();
  /** Writes that have failed and go on. */
  readonly #lost: Set<RealWrite> = new Set();

  /** Makes a disk that holds one mark everywhere. */
  constructor(places: number, initial: number, random: Random) {
    this.#places = new Array(places).fill(initial);
    this.#random = random;
  }

  /** Whether something that has failed may still take place. */
  get lingers(): boolean {
    return this.#lost.size > 0;
  }

  /** The mark of a place. */
  at(place: number): number {
    return this.#places[place]!;
  }

  /** A write begins. */
  beginWrite(at: number, length: number, mark: number): RealWrite {
    const left = new Set(Array.from({ length }, (_, i) => at + i));
    const write = { at, mark, left };
    this.#writes.add(write);
    return write;
  }

  /**
   * A write ends: it has reached its first `count` places.
   *
   * @param lost Whether it may still reach the others.
   */
  endWrite(write: RealWrite, count: number, lost: boolean): void {
    for (let i = 0; i < count; i++) this.#reach(write, write.at + i);
    this.#writes.delete(write);
    if (lost) this.#lost.add(write);
  }

  /** What was lost does not go on. */
  forgetLost(): void {
    this.#lost.clear();
  }

  /** All from a place on is zero. */
  zero(from: number): void {
    this.#places.fill(0, from);
  }

  /** Time passes. */
  step(): void {
    for (const write of [...this.#writes, ...this.#lost]) {
      for (const place of [...write.left]) {
        if (this.#random.chance(0.15)) this.#reach(write, place);
      }
    }
  }

  #reach(write: RealWrite, place: number): void {
    if (write.left.delete(place)) this.#places[place] = write.mark;
  }
}
