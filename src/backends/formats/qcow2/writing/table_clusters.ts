/** Index of the number of words that were never used. */
const FRESH = 0;
const FIRST = 16;
/** Words for what is added later, at least. */
const SLACK = 1024;
/** A word that was never used; where a search ends. */
const EMPTY = 0;
/** A word whose cluster was removed. */
const REMOVED = 0xffff_ffff;
/** The multiplier of Fibonacci hashing: 2^32 divided by the golden ratio. */
const MULTIPLIER = 0x9e37_79b1;

/**
 * The clusters of an image's file that have its header and tables, and therefore
 * no data: a hash table that all threads share. An entry that refers to one of
 * them is damage. Without this, a program that writes to the disk would write to
 * the tables, and a discard would free them.
 *
 * Only the owner of the metadata lock changes it. Every thread searches it
 * without a lock: words change one at a time, and never back to empty.
 */
export class TableClusters {
  readonly #words: Uint32Array<SharedArrayBuffer>;
  readonly #mask: number;
  readonly #shift: number;

  /** Makes the memory for a number of clusters, and some more. */
  static create(clusters: number): SharedArrayBuffer {
    const bits = Math.ceil(Math.log2(2 * clusters + SLACK));
    const words = new Uint32Array(
      new SharedArrayBuffer(4 * (FIRST + 2 ** bits)),
    );
    words[FRESH] = 2 ** bits;
    return words.buffer;
  }

  /** Wraps the memory. */
  constructor(memory: SharedArrayBuffer) {
    this.#words = new Uint32Array(memory);
    this.#mask = this.#words.length - FIRST - 1;
    this.#shift = Math.clz32(this.#mask);
  }

  /** Whether a cluster has a table. */
  has(cluster: number): boolean {
    // Tables have numbers of 32 bits.
    return cluster < REMOVED - 1 && this.#find(cluster) >= 0;
  }

  /** Whether a range of the file has a part of a table. */
  overlaps(offset: number, length: number, clusterSize: number): boolean {
    const last = Math.floor((offset + length - 1) / clusterSize);
    for (let at = Math.floor(offset / clusterSize); at <= last; at++) {
      if (this.has(at)) return true;
    }
    return false;
  }

  /**
   * Adds clusters. Once there is room for no more, as after many changes of the
   * size, they are left out: this is a guard, and images are sound without it.
   *
   * @returns Whether none of them was there before.
   */
  add(first: number, count: number = 1): boolean {
    let isNew = true;
    for (let cluster = first; cluster < first + count; cluster++) {
      if (this.has(cluster)) isNew = false;
      else this.#insert(cluster);
    }
    return isNew;
  }

  /** Removes a cluster that is free now, if it was there. */
  remove(cluster: number): void {
    const at = cluster < REMOVED - 1 ? this.#find(cluster) : -1;
    if (at >= 0) Atomics.store(this.#words, at, REMOVED);
  }

  #find(cluster: number): number {
    for (let slot = this.#slotOf(cluster);; slot = slot + 1 & this.#mask) {
      const word = Atomics.load(this.#words, FIRST + slot);
      if (word === cluster + 1) return FIRST + slot;
      if (word === EMPTY) return -1;
    }
  }

  #insert(cluster: number): void {
    const words = this.#words;
    for (let slot = this.#slotOf(cluster);; slot = slot + 1 & this.#mask) {
      const word = Atomics.load(words, FIRST + slot);
      if (word !== EMPTY && word !== REMOVED) continue;
      // Searches stay short, and find an end.
      const isFull = words[FRESH]! <= this.#mask / 4;
      if (word === EMPTY && isFull) return;
      if (word === EMPTY) words[FRESH]!--;
      Atomics.store(words, FIRST + slot, cluster + 1);
      return;
    }
  }

  #slotOf(cluster: number): number {
    return Math.imul(cluster, MULTIPLIER) >>> this.#shift;
  }
}
