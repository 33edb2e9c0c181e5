import { SliceCache } from "../../../mapped/slice_cache.ts";
import {
  CONTROL,
  CONTROL_WORDS,
  DIRTY,
  SET,
  SET_STRIDE,
  SET_WORDS,
  SLOT,
  SLOT_WORDS,
  UNDO,
  UNDO_WORDS,
  WAYS,
} from "../../../mapped/slice_layout.ts";

/** Looks of a writer, which may not give up. */
const WRITER_LOOKS = 2000;
const WRITER_WAIT_MS = 1;

/**
 * A cache of slices that are changed, and written back to the file later. All
 * methods of its own are for the owner of the metadata lock.
 */
export class SliceChanges extends SliceCache {
  /** How many slots have changed and wait to be written. */
  get dirtyCount(): number {
    return Atomics.load(this.words, CONTROL.DIRTY_COUNT);
  }

  /**
   * Changes words of a slice. Only the owner of the metadata lock calls this and
   * what follows.
   *
   * @param slice Its number.
   * @param at The first word.
   * @param words The new words.
   * @returns Whether the slice was cached.
   */
  change(slice: number, at: number, words: ArrayLike<number>): boolean {
    const set = this.setAt(slice);
    this.#lockForWriter(set);
    try {
      const slot = this.#slotOf(set, slice + 1 | 0);
      if (slot < 0) return false;
      const slotAt = this.slotAt(slot);
      const start = slot * this.sliceWords + at;
      this.#keep(slot, start, words.length);
      Atomics.add(this.words, slotAt + SLOT.VERSION, 1);
      for (let i = 0; i < words.length; i++) {
        Atomics.store(this.data, start + i, words[i]!);
      }
      Atomics.add(this.words, slotAt + SLOT.VERSION, 1);
      this.#noteChange(slot, slotAt);
      Atomics.store(this.undo, UNDO.ACTIVE, 0);
      return true;
    } finally {
      this.unlock(set);
    }
  }

  /** Keeps words that will change, in case that this thread ends meanwhile. */
  #keep(slot: number, start: number, count: number): void {
    const { undo } = this;
    Atomics.store(undo, UNDO.SLOT, slot);
    Atomics.store(undo, UNDO.AT, start);
    Atomics.store(undo, UNDO.COUNT, count);
    for (let i = 0; i < count; i++) {
      const word = Atomics.load(this.data, start + i);
      Atomics.store(undo, UNDO_WORDS + i, word);
    }
    Atomics.store(undo, UNDO.ACTIVE, 1);
  }

  /**
   * Undoes the change that the owner of the metadata lock has not lived to
   * finish. Called before the lock is free again.
   */
  undoChange(): void {
    const { undo, words, data } = this;
    if (Atomics.load(undo, UNDO.ACTIVE) === 0) return;
    const at = this.slotAt(Atomics.load(undo, UNDO.SLOT)) + SLOT.VERSION;
    if ((Atomics.load(words, at) & 1) === 0) Atomics.add(words, at, 1);
    const start = Atomics.load(undo, UNDO.AT);
    for (let i = 0; i < Atomics.load(undo, UNDO.COUNT); i++) {
      Atomics.store(data, start + i, Atomics.load(undo, UNDO_WORDS + i));
    }
    Atomics.add(words, at, 1);
    Atomics.store(undo, UNDO.ACTIVE, 0);
  }

  /** Whether every slot for a slice has changed and waits to be written. */
  isFull(slice: number): boolean {
    const first = this.setAt(slice) + SET_WORDS + SLOT.DIRTY;
    for (let way = 0; way < WAYS; way++) {
      const state = Atomics.load(this.words, first + way * SLOT_WORDS);
      if (state === DIRTY.CLEAN) return false;
    }
    return true;
  }

  /**
   * Takes a changed slot to be written. The slot stays until
   * {@linkcode SliceCache.written}.
   *
   * @param into Takes its words.
   * @returns The slot; -1 if none has changed.
   */
  takeDirty(into: Int32Array): number {
    const count = this.dirtyCount;
    if (count === 0) return -1;
    const slot = Atomics.load(this.dirty, count - 1);
    Atomics.store(this.words, CONTROL.DIRTY_COUNT, count - 1);
    const at = this.slotAt(slot) + SLOT.DIRTY;
    Atomics.store(this.words, at, DIRTY.WRITING);
    const start = slot * this.sliceWords;
    for (let i = 0; i < into.length; i++) {
      into[i] = Atomics.load(this.data, start + i);
    }
    return slot;
  }

  /** The slice in a slot. */
  sliceIn(slot: number): number {
    const tag = Atomics.load(this.words, this.slotAt(slot) + SLOT.TAG);
    return (tag >>> 0) - 1;
  }

  /** Takes back a slot that {@linkcode SliceCache.takeDirty} returned. */
  written(slot: number, isWritten: boolean): void {
    const words = this.words;
    const at = this.slotAt(slot);
    const state = Atomics.load(words, at + SLOT.DIRTY);
    const set = CONTROL_WORDS + Math.floor(slot / WAYS) * SET_STRIDE;
    // Copies of the slice that were read before are out of date.
    Atomics.add(words, set + SET.CHANGES, 1);
    if (isWritten && state === DIRTY.WRITING) {
      Atomics.store(words, at + SLOT.DIRTY, DIRTY.CLEAN);
    } else if (state !== DIRTY.CHANGED) {
      this.#list(slot, at);
    }
  }

  /**
   * Forgets all slices, of which none has changed: the file has others now. What
   * is being read of it meanwhile is not cached.
   */
  forgetAll(): void {
    const { words } = this;
    for (let set = CONTROL_WORDS; set < words.length; set += SET_STRIDE) {
      this.#lockForWriter(set);
      for (let way = 0; way < WAYS; way++) {
        const at = set + SET_WORDS + way * SLOT_WORDS;
        Atomics.add(words, at + SLOT.VERSION, 1);
        Atomics.store(words, at + SLOT.TAG, 0);
        Atomics.add(words, at + SLOT.VERSION, 1);
      }
      Atomics.add(words, set + SET.CHANGES, 1);
      this.unlock(set);
    }
  }

  #noteChange(slot: number, at: number): void {
    const state = Atomics.load(this.words, at + SLOT.DIRTY);
    if (state === DIRTY.CLEAN) this.#list(slot, at);
    else if (state === DIRTY.WRITING) {
      Atomics.store(this.words, at + SLOT.DIRTY, DIRTY.CHANGED_AGAIN);
    }
  }

  #list(slot: number, at: number): void {
    const count = this.dirtyCount;
    Atomics.store(this.dirty, count, slot);
    Atomics.store(this.words, at + SLOT.DIRTY, DIRTY.CHANGED);
    Atomics.store(this.words, CONTROL.DIRTY_COUNT, count + 1);
  }

  #slotOf(set: number, tag: number): number {
    const first = set + SET_WORDS + SLOT.TAG;
    for (let way = 0; way < WAYS; way++) {
      if (Atomics.load(this.words, first + way * SLOT_WORDS) === tag) {
        return (set - CONTROL_WORDS) / SET_STRIDE * WAYS + way;
      }
    }
    return -1;
  }

  #lockForWriter(set: number): void {
    const words = this.words;
    for (let looks = 0; looks < WRITER_LOOKS; looks++) {
      if (this.lock(set)) return;
      // Its holder is in the middle of a copy, on a busy machine.
      const holder = Atomics.load(words, set + SET.LOCK);
      Atomics.wait(words, set + SET.LOCK, holder, WRITER_WAIT_MS);
    }
  }
}
