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

import { ClockHand } from "../../shared_memory/clock_hand.ts";
import {
  CONTROL,
  CONTROL_WORDS,
  DIRTY,
  SET,
  SET_STRIDE,
  SET_WORDS,
  SLOT,
  SLOT_WORDS,
  UNDO_WORDS,
  WAYS,
} from "./slice_layout.ts";

/** Looks at a set's lock before giving up: its holder only copies a slice. */
const LOCK_LOOKS = 100;

/** The number of the thread of a queue, or of the one that opened an image. */
export function cacheOwner(queue: number | undefined | null): number {
  return (queue ?? -1) + 2;
}

/** A cache of slices, as one thread sees it. */
export class SliceCache {
  /** The words of all slots: slot `n` starts at `n * sliceWords`. */
  readonly data: Int32Array<SharedArrayBuffer>;
  protected readonly words: Int32Array<SharedArrayBuffer>;
  protected readonly sliceWords: number;
  /** The number of this thread as the owner of a set's lock. */
  protected readonly owner: number;
  /** What undoes the change that is under way. */
  protected readonly undo: Int32Array<SharedArrayBuffer>;
  readonly #sets: number;
  readonly #clock: ClockHand;
  /** The slots that have changed, in the order in which they did. */
  protected readonly dirty: Int32Array<SharedArrayBuffer>;
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
    const setBytes = 4 * (SET_STRIDE + WAYS * (sliceWords + 1));
    const sets = Math.max(
      1,
      Math.min(Math.floor(bytes / setBytes), Math.ceil(slices / WAYS)),
    );
    const memory = new SharedArrayBuffer(
      4 * (CONTROL_WORDS + UNDO_WORDS + sliceWords) + sets * setBytes,
    );
    new Int32Array(memory)[CONTROL.SETS] = sets;
    return memory;
  }

  /**
   * Wraps the memory of a cache.
   *
   * @param memory Of {@linkcode SliceCache.create}.
   * @param sliceWords As there.
   * @param owner The number of this thread, of {@linkcode cacheOwner}.
   */
  constructor(memory: SharedArrayBuffer, sliceWords: number, owner: number) {
    this.owner = owner;
    this.#sets = new Int32Array(memory, 0, 1)[0]!;
    this.sliceWords = sliceWords;
    const words = CONTROL_WORDS + this.#sets * SET_STRIDE;
    this.words = new Int32Array(memory, 0, words);
    const slots = this.#sets * WAYS;
    this.dirty = new Int32Array(memory, 4 * words, slots);
    const undo = words + slots;
    this.undo = new Int32Array(memory, 4 * undo, UNDO_WORDS + sliceWords);
    this.data = new Int32Array(memory, 4 * (undo + this.undo.length));
    this.#clock = new ClockHand(
      this.words,
      { ways: WAYS, stride: SLOT_WORDS, used: SLOT.USED },
      { mayGo: (at) => this.#isClean(at), take: () => true },
    );
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
    const words = this.words;
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
    const at = this.slotAt(slot) + SLOT.VERSION;
    return Atomics.load(this.words, at) === this.#version;
  }

  /** The count to hand to {@linkcode SliceCache.add} after reading a slice. */
  changes(slice: number): number {
    return Atomics.load(this.words, this.setAt(slice) + SET.CHANGES);
  }

  /**
   * Copies words of a slice.
   *
   * @param into Takes them, each at its place in the slice.
   * @param first The first word; 0 if left out.
   * @param end The word after the last one; the end if left out.
   * @returns Whether it is cached, and was not being changed.
   */
  copy(
    slice: number,
    into: Int32Array,
    first: number = 0,
    end: number = into.length,
  ): boolean {
    const slot = this.find(slice);
    if (slot < 0) return false;
    const start = slot * this.sliceWords;
    for (let i = first; i < end; i++) {
      into[i] = Atomics.load(this.data, start + i);
    }
    return this.isUnchanged(slot);
  }

  /**
   * Whether what was read of a slice in the file is its newest state: no slot has
   * it, where it may have changed, and none was written since.
   *
   * @param changes The count before it was read.
   */
  isCurrent(slice: number, changes: number): boolean {
    const { words } = this;
    const set = this.setAt(slice);
    const tag = slice + 1 | 0;
    for (let way = 0; way < WAYS; way++) {
      const at = set + SET_WORDS + way * SLOT_WORDS + SLOT.TAG;
      if (Atomics.load(words, at) === tag) return false;
    }
    return Atomics.load(words, set + SET.CHANGES) === changes;
  }

  /**
   * Caches a slice that was read, unless it is there already, or the set has
   * changed so that it may be out of date, or another thread keeps the set for
   * too long: it then stays as it is, and the slice is read again next time.
   *
   * @param slice Its number.
   * @param words Its words in host order.
   * @param changes The count before it was read.
   * @returns Whether it was cached by this call.
   */
  add(slice: number, words: Int32Array, changes: number): boolean {
    const set = this.setAt(slice);
    if (!this.lock(set)) return false;
    try {
      if (Atomics.load(this.words, set + SET.CHANGES) !== changes) {
        return false;
      }
      const slot = this.slotFor(set, slice + 1 | 0);
      if (slot >= 0) this.fill(slot, slice + 1 | 0, words);
      return slot >= 0;
    } finally {
      this.unlock(set);
    }
  }

  /**
   * Releases what a thread has locked that has ended: the slots are left as they
   * were before, or after.
   */
  threadEnded(owner: number): void {
    const { words } = this;
    for (let set = CONTROL_WORDS; set < words.length; set += SET_STRIDE) {
      if (Atomics.load(words, set + SET.LOCK) !== owner) continue;
      for (let way = 0; way < WAYS; way++) {
        const at = set + SET_WORDS + way * SLOT_WORDS + SLOT.VERSION;
        // The tag is 0 unless all words are there.
        if ((Atomics.load(words, at) & 1) !== 0) Atomics.add(words, at, 1);
      }
      this.unlock(set);
    }
  }

  protected unlock(set: number): void {
    Atomics.store(this.words, set + SET.LOCK, 0);
  }

  protected setAt(slice: number): number {
    return CONTROL_WORDS + slice % this.#sets * SET_STRIDE;
  }

  protected slotAt(slot: number): number {
    return CONTROL_WORDS + Math.floor(slot / WAYS) * SET_STRIDE + SET_WORDS +
      slot % WAYS * SLOT_WORDS;
  }

  protected lock(set: number): boolean {
    const words = this.words;
    for (let looks = 0; looks < LOCK_LOOKS; looks++) {
      const at = set + SET.LOCK;
      if (Atomics.compareExchange(words, at, 0, this.owner) === 0) return true;
    }
    return false;
  }

  /**
   * Chooses the slot for a slice of a locked set: an empty one, else one that the
   * clock hand finds.
   *
   * @returns -1 if the slice is there already, or every slot has to stay.
   */
  protected slotFor(set: number, tag: number): number {
    const words = this.words;
    const first = set + SET_WORDS;
    let chosen = -1;
    for (let way = 0; way < WAYS; way++) {
      const at = first + way * SLOT_WORDS;
      const found = Atomics.load(words, at + SLOT.TAG);
      if (found === tag) return -1;
      if (found === 0 && this.#isClean(at) && chosen < 0) chosen = at;
    }
    if (chosen < 0) chosen = this.#clock.take(set + SET.HAND, first);
    if (chosen < 0) return -1;
    const way = (chosen - first) / SLOT_WORDS;
    return (set - CONTROL_WORDS) / SET_STRIDE * WAYS + way;
  }

  /** Whether a slot may be replaced: it is as in the file. */
  #isClean(at: number): boolean {
    return Atomics.load(this.words, at + SLOT.DIRTY) === DIRTY.CLEAN;
  }

  protected fill(slot: number, tag: number, from: Int32Array): void {
    const words = this.words;
    const at = this.slotAt(slot);
    Atomics.add(words, at + SLOT.VERSION, 1);
    Atomics.store(words, at + SLOT.TAG, 0);
    const { data } = this;
    const start = slot * this.sliceWords;
    for (let i = 0; i < from.length; i++) {
      Atomics.store(data, start + i, from[i]!);
    }
    Atomics.store(words, at + SLOT.USED, 1);
    Atomics.store(words, at + SLOT.TAG, tag);
    Atomics.add(words, at + SLOT.VERSION, 1);
  }
}
