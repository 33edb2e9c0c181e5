/**
 * Where what is in the memory of a cache of slices: words before the sets, the
 * sets with the words of their slots, the list of changed slots, what undoes a
 * change, the slices.
 *
 * @module
 */

/** Slots that a slice can be in. */
export const WAYS = 8;

/** Words before the sets. */
export const CONTROL_WORDS = 16;
/** Words of a set before its slots: the lock, the clock's hand, a count. */
export const SET_WORDS = 16;
/** Words that describe a slot. */
export const SLOT_WORDS = 4;
export const SET_STRIDE: number = SET_WORDS + WAYS * SLOT_WORDS;

/** Words of a set. */
export const SET = {
  /** While a thread changes its slots, the number of that thread; else 0. */
  LOCK: 0,
  /** The hand of `ClockHand`. */
  HAND: 1,
  /** Counts what a slice that was being read meanwhile may not overwrite. */
  CHANGES: 2,
} as const;

/** Words that describe a slot. */
export const SLOT = {
  /** The slice plus 1; 0 if the slot is empty. */
  TAG: 0,
  /** Odd while the slot changes. */
  VERSION: 1,
  /** Not 0 if it was used since the clock hand passed it. */
  USED: 2,
  /** One of {@linkcode DIRTY}; a slot that is not clean is not replaced. */
  DIRTY: 3,
} as const;

/** Whether a slot differs from the file. */
export const DIRTY = {
  CLEAN: 0,
  /** Changed, and in the list of dirty slots. */
  CHANGED: 1,
  /** Being written to the file. */
  WRITING: 2,
  /** Changed again while it is being written. */
  CHANGED_AGAIN: 3,
} as const;

/** Words of what undoes a change, before the words that were changed. */
export const UNDO_WORDS = 4;

/** Words of what undoes a change that its thread has not lived to finish. */
export const UNDO = {
  /** 1 while the change is under way. */
  ACTIVE: 0,
  /** The slot, the first word of it, and how many. */
  SLOT: 1,
  AT: 2,
  COUNT: 3,
} as const;

/** Words before the sets. */
export const CONTROL = {
  /** How many sets there are. */
  SETS: 0,
  /** How many slots are in the list of dirty slots. */
  DIRTY_COUNT: 1,
} as const;
