/** Where the words of a set's slots are. */
export interface SlotWords {
  /** Slots of a set: a power of two. */
  readonly ways: number;
  /** Words from a slot to the next one. */
  readonly stride: number;
  /** The word of a slot that is not 0 if it was used since the hand passed it. */
  readonly used: number;
}

/** What a cache says of a slot, by its first word. */
export interface ReplaceableSlot {
  /** Whether it may be replaced at all; one that may not stays as it is. */
  mayGo(at: number): boolean;
  /** Takes it for what replaces it, unless another thread uses it now. */
  take(at: number): boolean;
}

/**
 * Chooses which slot of a set is replaced: the clock algorithm, also called
 * second chance. A hand goes round the slots of the set. It takes the first that
 * may go and that was not used since it passed that slot before, and notes of
 * each that it passes that it was not used yet.
 *
 * The slots are in memory that threads share, and several threads may move one
 * hand at the same time.
 */
export class ClockHand {
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #layout: SlotWords;
  readonly #slot: ReplaceableSlot;

  /**
   * Prepares the choice of slots.
   *
   * @param words The words of all sets.
   * @param layout Where those of a slot are.
   * @param slot What the cache says of a slot.
   */
  constructor(
    words: Int32Array<SharedArrayBuffer>,
    layout: SlotWords,
    slot: ReplaceableSlot,
  ) {
    this.#words = words;
    this.#layout = layout;
    this.#slot = slot;
  }

  /**
   * Takes a slot of a set. The hand goes round twice: the second time, only slots
   * that cannot be had are passed.
   *
   * @param hand The word of the set's hand, which counts the slots it has passed.
   * @param first The first word of the set's first slot.
   * @returns The first word of the slot; -1 if none can be had.
   */
  take(hand: number, first: number): number {
    const words = this.#words;
    const { ways, stride, used } = this.#layout;
    for (let looks = 0; looks < 2 * ways; looks++) {
      const way = Atomics.add(words, hand, 1) & ways - 1;
      const at = first + way * stride;
      if (!this.#slot.mayGo(at)) continue;
      const wasUsed = Atomics.exchange(words, at + used, 0) !== 0;
      if (wasUsed && looks < ways) continue;
      if (this.#slot.take(at)) return at;
    }
    return -1;
  }
}
