/** No table: nothing that it would map is allocated. */
export const NO_TABLE = 0;
/** An entry that makes no sense: what it would map cannot be read. */
export const BAD_TABLE = 0xffff_ffff;

/**
 * A table of tables in memory that all threads share: for each table one word,
 * where it is in units of the format, so that a single load or store handles an
 * entry.
 */
export class L1Table {
  readonly #words: Uint32Array<SharedArrayBuffer>;

  /** Wraps the words. */
  constructor(memory: SharedArrayBuffer) {
    this.#words = new Uint32Array(memory);
  }

  /** How many tables there are at most. */
  get length(): number {
    return this.#words.length;
  }

  /**
   * Where a table is, in units; {@linkcode NO_TABLE} or {@linkcode BAD_TABLE} if
   * there is none.
   */
  unitOf(table: number): number {
    return Atomics.load(this.#words, table);
  }
}
