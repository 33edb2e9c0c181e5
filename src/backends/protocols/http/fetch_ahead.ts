import type { Ahead } from "../../block_cache/read_ahead.ts";

/** Blocks of one request at most, and at least. */
const BLOCKS_MAX = 64;
const BLOCKS_MIN = 8;
/** Requests among which a window is divided. */
const PARTS = 4;

/** What fetches ahead need. */
export interface AheadParts {
  /** How many requests can be made at once. */
  idle(): number;
  /** Claims a block: a slot, or a negative number if there is no need to. */
  claim(block: number): number;
  /** Fetches blocks into slots. */
  fetch(first: number, slots: readonly number[]): void;
}

/** Fetches what a program will probably read, as far as connections are idle. */
export class FetchAhead {
  readonly #blocks: number;
  readonly #parts: AheadParts;
  /** What is still to be fetched. */
  #wanted: Ahead | null = null;
  #part = BLOCKS_MAX;

  /** Has nothing to fetch yet; `blocks` is how many the object has. */
  constructor(blocks: number, parts: AheadParts) {
    this.#blocks = blocks;
    this.#parts = parts;
  }

  /**
   * Fetches a range, or what follows the one before.
   *
   * @returns Whether more connections would help.
   */
  want({ from, to }: Ahead): boolean {
    const before = this.#wanted;
    // What another program wanted is forgotten.
    const start = before !== null && before.to === from ? before.from : from;
    const part = Math.ceil((to - start) / PARTS);
    this.#part = Math.max(BLOCKS_MIN, Math.min(BLOCKS_MAX, part));
    this.#wanted = { from: start, to: Math.min(to, this.#blocks) };
    this.goOn();
    return this.#wanted !== null;
  }

  /** Fetches what is left, if connections are idle. */
  goOn(): void {
    const wanted = this.#wanted;
    if (wanted === null) return;
    let { from } = wanted;
    while (from < wanted.to && this.#parts.idle() > 0) {
      const slots: number[] = [];
      const first = from;
      const last = Math.min(wanted.to, from + this.#part);
      for (; from < last; from++) {
        const slot = this.#parts.claim(from);
        if (slot < 0) break;
        slots.push(slot);
      }
      // Before the fetch begins, which may call back.
      const rest = slots.length === 0 ? ++from : from;
      this.#wanted = rest < wanted.to ? { from: rest, to: wanted.to } : null;
      if (slots.length > 0) this.#parts.fetch(first, slots);
    }
  }
}
