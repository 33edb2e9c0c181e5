/** Indexes of the counts of ranges that were added, made durable and taken. */
const TAIL = 0;
const DURABLE = 1;
const HEAD = 2;
/** Index of the count of ranges to which nothing is added any more. */
const SEALED = 3;
const FIRST = 4;
const RANGES = 8192;
/** Words of a range: its first cluster, how many, the epoch. */
const RANGE_WORDS = 3;

/** Clusters of the file, and when they were taken out of use. */
export interface FreedRange {
  readonly first: number;
  readonly count: number;
  readonly epoch: number;
}

/**
 * Clusters that no table refers to any more, each with one reference to give
 * back: once the change of the table is durable, and every request has ended
 * that may have seen the old one. Only the owner of the metadata lock uses it.
 */
export class FreedClusters {
  /** Words of shared memory that it takes. */
  static readonly WORDS: number = FIRST + RANGES * RANGE_WORDS;
  readonly #words: Int32Array<SharedArrayBuffer>;

  /** Wraps the memory. */
  constructor(words: Int32Array<SharedArrayBuffer>) {
    this.#words = words;
  }

  /** Ranges that wait. */
  get length(): number {
    return this.#load(TAIL) - this.#load(HEAD) | 0;
  }

  /** Whether ranges wait for a flush. */
  get isUnflushed(): boolean {
    return this.#load(TAIL) !== this.#load(DURABLE);
  }

  /** Whether it should be emptied soon. */
  get isCrowded(): boolean {
    return this.length > RANGES * 3 / 4;
  }

  /**
   * Ends the ranges so far, for a flush that begins; returns their count, for
   * {@linkcode FreedClusters.flushed}.
   */
  seal(): number {
    const tail = this.#load(TAIL);
    Atomics.store(this.#words, SEALED, tail);
    return tail;
  }

  /**
   * Adds clusters.
   *
   * @returns Whether there was room; if not, they stay in use for good, which
   * a check of the image tells as a leak.
   */
  add(first: number, count: number, epoch: number): boolean {
    const words = this.#words;
    const tail = this.#load(TAIL);
    if (tail !== this.#load(SEALED)) {
      const last = this.#at(tail - 1);
      const end = (words[last]! >>> 0) + words[last + 1]!;
      if (end === first && words[last + 2] === epoch) {
        Atomics.add(words, last + 1, count);
        return true;
      }
    }
    if (this.length >= RANGES) return false;
    const at = this.#at(tail);
    Atomics.store(words, at, first | 0);
    Atomics.store(words, at + 1, count);
    Atomics.store(words, at + 2, epoch);
    Atomics.store(words, TAIL, tail + 1 | 0);
    return true;
  }

  /** Notes that the changes of tables are durable up to a count of ranges. */
  flushed(added: number): void {
    Atomics.store(this.#words, DURABLE, added);
  }

  /** The next range whose change is durable; `null` if there is none. */
  peek(): FreedRange | null {
    const head = this.#load(HEAD);
    if (head === this.#load(DURABLE)) return null;
    const at = this.#at(head);
    return {
      first: Atomics.load(this.#words, at) >>> 0,
      count: Atomics.load(this.#words, at + 1),
      epoch: Atomics.load(this.#words, at + 2),
    };
  }

  /** Removes the range that `peek()` returned. */
  shift(): void {
    Atomics.add(this.#words, HEAD, 1);
  }

  #load(index: number): number {
    return Atomics.load(this.#words, index);
  }

  #at(range: number): number {
    return FIRST + (range & RANGES - 1) * RANGE_WORDS;
  }
}
