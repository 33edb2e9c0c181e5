/**
 * L2 slices in memory that all threads of an export share.
 *
 * Reading takes no lock: each slot has a version that is odd while it changes,
 * and a reader takes what it read only if the version is as before. Changes are
 * made by one thread at a time for each set of slots. All words are read and
 * written by Atomics: plain loads could be reordered around the version.
 *
 * @module
 */

/** Slots that a slice can be in. */
const WAYS = 8;

/** Words before the sets. */
const CONTROL_WORDS = 16;
/** Words of a set before its slots: the lock, the clock's hand, a count. */
const SET_WORDS = 16;
/** Words that describe a slot. */
const SLOT_WORDS = 4;
const SET_STRIDE = SET_WORDS + WAYS * SLOT_WORDS;

/** Words of a set. */
const SET = {
  /** 1 while a thread changes its slots. */
  LOCK: 0,
  /** The slot that is looked at first when one must be replaced. */
  HAND: 1,
  /** Counts what a slice that was being read meanwhile may not overwrite. */
  CHANGES: 2,
} as const;

/** Words that describe a slot. */
const SLOT = {
  /** The slice plus 1; 0 if the slot is empty. */
  TAG: 0,
  /** Odd while the slot changes. */
  VERSION: 1,
  /** Not 0 if it was used since the hand passed it. */
  USED: 2,
} as const;

/** Looks at a set's lock before giving up: its holder only copies a slice. */
const LOCK_LOOKS = 100;

/** A cache of slices, as one thread sees it. */
export class SliceCache {
  /** The words of all slots: slot `n` starts at `n * sliceWords`. */
  readonly data: Int32Array<SharedArrayBuffer>;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #sliceWords: number;
  readonly #sets: number;
  /** The version of the slot that was found last. */
  #version = 0;

  /**
   * Makes the memory of a cache.
   *
   * @param bytes How much it may take; it takes a few slots if that is less.
   * @param slices How many slices there are: it does not take more.
   * @param sliceWords 32-bit words of a slice.
   */
  static create(
    bytes: number,
    slices: number,
    sliceWords: number,
  ): SharedArrayBuffer {
    const setBytes = 4 * (SET_STRIDE + WAYS * sliceWords);
    const sets = Math.max(
      1,
      Math.min(Math.floor(bytes / setBytes), Math.ceil(slices / WAYS)),
    );
    const memory = new SharedArrayBuffer(4 * CONTROL_WORDS + sets * setBytes);
    new Int32Array(memory)[0] = sets;
    return memory;
  }

  /**
   * Wraps the memory of a cache.
   *
   * @param memory Of {@linkcode SliceCache.create}.
   * @param sliceWords As there.
   */
  constructor(memory: SharedArrayBuffer, sliceWords: number) {
    this.#sets = new Int32Array(memory, 0, 1)[0]!;
    this.#sliceWords = sliceWords;
    const words = CONTROL_WORDS + this.#sets * SET_STRIDE;
    this.#words = new Int32Array(memory, 0, words);
    this.data = new Int32Array(memory, 4 * words);
  }

  /** How many slices fit. */
  get slots(): number {
    return this.#sets * WAYS;
  }

  /**
   * Finds a slice. What the caller then reads of `data` counts only if
   * {@linkcode SliceCache.isUnchanged} says so afterwards.
   *
   * @returns Its slot, or -1 if it is not cached or is being changed.
   */
  find(slice: number): number {
    const words = this.#words;
    const set = slice % this.#sets;
    const tag = slice + 1 | 0;
    let at = CONTROL_WORDS + set * SET_STRIDE + SET_WORDS;
    for (let way = 0; way < WAYS; way++, at += SLOT_WORDS) {
      if (Atomics.load(words, at + SLOT.TAG) !== tag) continue;
      const version = Atomics.load(words, at + SLOT.VERSION);
      // The tag once more: it may have changed before the version was read.
      if ((version & 1) !== 0 || Atomics.load(words, at + SLOT.TAG) !== tag) {
        return -1;
      }
      if (Atomics.load(words, at + SLOT.USED) === 0) {
        Atomics.store(words, at + SLOT.USED, 1);
      }
      this.#version = version;
      return set * WAYS + way;
    }
    return -1;
  }

  /** Whether the slot found last has not changed since. */
  isUnchanged(slot: number): boolean {
    const at = this.#slotAt(slot) + SLOT.VERSION;
    return Atomics.load(this.#words, at) === this.#version;
  }

  /** The count to hand to {@linkcode SliceCache.add} after reading a slice. */
  changes(slice: number): number {
    return Atomics.load(this.#words, this.#setAt(slice) + SET.CHANGES);
  }

  /**
   * Caches a slice that was read, unless it is there already, or the set has
   * changed so that it may be out of date, or another thread keeps the set for
   * too long: it then stays as it is, and the slice is read again next time.
   *
   * @param slice Its number.
   * @param words Its words in host order.
   * @param changes The count before it was read.
   */
  add(slice: number, words: Int32Array, changes: number): void {
    const set = this.#setAt(slice);
    if (!this.#lock(set)) return;
    try {
      if (Atomics.load(this.#words, set + SET.CHANGES) !== changes) return;
      const slot = this.#slotFor(set, slice + 1 | 0);
      if (slot >= 0) this.#fill(slot, slice + 1 | 0, words);
    } finally {
      Atomics.store(this.#words, set + SET.LOCK, 0);
    }
  }

  #setAt(slice: number): number {
    return CONTROL_WORDS + slice % this.#sets * SET_STRIDE;
  }

  #slotAt(slot: number): number {
    return CONTROL_WORDS + Math.floor(slot / WAYS) * SET_STRIDE + SET_WORDS +
      slot % WAYS * SLOT_WORDS;
  }

  #lock(set: number): boolean {
    const words = this.#words;
    for (let looks = 0; looks < LOCK_LOOKS; looks++) {
      const before = Atomics.compareExchange(words, set + SET.LOCK, 0, 1);
      if (before === 0) return true;
    }
    return false;
  }

  /**
   * Chooses the slot for a slice: an empty one, else the first from the hand on
   * that was not used since the hand passed it.
   *
   * @returns -1 if the slice is there already.
   */
  #slotFor(set: number, tag: number): number {
    const words = this.#words;
    const first = set + SET_WORDS;
    let empty = -1;
    for (let way = 0; way < WAYS; way++) {
      const found = Atomics.load(words, first + way * SLOT_WORDS + SLOT.TAG);
      if (found === tag) return -1;
      if (found === 0 && empty < 0) empty = way;
    }
    let way = empty;
    for (let hand = Atomics.load(words, set + SET.HAND); way < 0;) {
      const used = first + hand * SLOT_WORDS + SLOT.USED;
      if (Atomics.exchange(words, used, 0) === 0) way = hand;
      hand = (hand + 1) % WAYS;
      Atomics.store(words, set + SET.HAND, hand);
    }
    return (set - CONTROL_WORDS) / SET_STRIDE * WAYS + way;
  }

  #fill(slot: number, tag: number, from: Int32Array): void {
    const words = this.#words;
    const at = this.#slotAt(slot);
    Atomics.add(words, at + SLOT.VERSION, 1);
    Atomics.store(words, at + SLOT.TAG, 0);
    const { data } = this;
    const start = slot * this.#sliceWords;
    for (let i = 0; i < from.length; i++) {
      Atomics.store(data, start + i, from[i]!);
    }
    Atomics.store(words, at + SLOT.USED, 1);
    Atomics.store(words, at + SLOT.TAG, tag);
    Atomics.add(words, at + SLOT.VERSION, 1);
  }
}
