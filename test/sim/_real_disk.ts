import type { Random } from "../../sim/determinism/random.ts";

/** A write to a {@linkcode RealDisk} that is under way. */
export interface RealWrite {
  readonly at: number;
  readonly mark: number;
  /** The units that it has not written yet. */
  readonly left: Set<number>;
}

/**
 * A disk as a real one may behave: a write reaches its units in any order, at
 * any time from its start to its end.
 */
export class RealDisk {
  readonly #places: number[];
  readonly #random: Random;
  readonly #writes: Set<RealWrite> = new Set();
  /** Writes that have failed and may still reach units. */
  readonly #lost: Set<RealWrite> = new Set();

  /** Makes a disk that has one mark everywhere. */
  constructor(places: number, initial: number, random: Random) {
    this.#places = new Array(places).fill(initial);
    this.#random = random;
  }

  /** Whether a failed write may still reach units. */
  get lingers(): boolean {
    return this.#lost.size > 0;
  }

  /** The mark of a unit. */
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
   * A write ends: it has reached its first `count` units.
   *
   * @param write The write.
   * @param count The number of units.
   * @param lost Whether it may still reach the others.
   */
  endWrite(write: RealWrite, count: number, lost: boolean): void {
    for (let i = 0; i < count; i++) this.#reach(write, write.at + i);
    this.#writes.delete(write);
    if (lost) this.#lost.add(write);
  }

  /** Lost writes do not continue. */
  forgetLost(): void {
    this.#lost.clear();
  }

  /** Zeroes everything from a unit on. */
  zero(from: number): void {
    this.#places.fill(0, from);
  }

  /** Lets writes under way reach some units. */
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
