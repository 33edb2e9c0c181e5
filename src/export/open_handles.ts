/** Handles that may be open at once, in all programs together. */
export const HANDLES_MAX = 16384;

/** Index of the slot at which the search for a free one begins. */
const NEXT = 0;
/** Index of the first slot. */
const SLOTS_AT = 2;
const WORDS_OF_SLOT = 2;
// Words of a slot.
const STATE = 0;
const SINCE = 1;
// Bits of its state; those above count how often the slot was used.
const IS_OPEN = 1;
const IS_WRITABLE = 2;
const GENERATION = 4;

const LOW_WORD = 0xffff_ffffn;

/**
 * The open handles of an export: one for each OPEN, in memory that all Workers
 * share. The kernel passes a handle's number (`fh`) with each request, and
 * descriptors made by dup(2) and fork(2) share it, as they share the kernel's
 * open file description.
 *
 * A number has a slot, from 1 on, in its lower word, and the slot's generation
 * in its upper word, so that the number of a closed handle is never valid again.
 *
 * @category Exporting an image
 */
export class OpenHandles {
  /** Words of shared memory that the table takes. */
  static readonly WORDS: number = SLOTS_AT + HANDLES_MAX * WORDS_OF_SLOT;
  readonly #words: Int32Array<SharedArrayBuffer>;

  /**
   * Wraps the memory of a table.
   *
   * @param words {@linkcode OpenHandles.WORDS} words, zero when it is made.
   */
  constructor(words: Int32Array<SharedArrayBuffer>) {
    this.#words = words;
  }

  /**
   * Opens a handle.
   *
   * @param writable Whether the file was opened for writing.
   * @param since The count of errors up to which it needs not be told.
   * @returns Its number; `null` if the table is full.
   */
  open(writable: boolean, since: number): bigint | null {
    const words = this.#words;
    const first = Atomics.add(words, NEXT, 1) >>> 0;
    for (let i = 0; i < HANDLES_MAX; i++) {
      const slot = (first + i) % HANDLES_MAX;
      const at = SLOTS_AT + slot * WORDS_OF_SLOT;
      const free = Atomics.load(words, at + STATE);
      if ((free & IS_OPEN) !== 0) continue;
      const opened = (free & -GENERATION) + GENERATION | IS_OPEN |
        (writable ? IS_WRITABLE : 0);
      if (Atomics.compareExchange(words, at + STATE, free, opened) !== free) {
        continue;
      }
      Atomics.store(words, at + SINCE, since);
      return BigInt(generationOf(opened)) << 32n | BigInt(slot + 1);
    }
    return null;
  }

  /** Whether a number is that of an open handle. */
  has(fh: bigint): boolean {
    return this.#find(fh) !== null;
  }

  /** Whether a handle is open for writing. */
  isWritable(fh: bigint): boolean {
    const at = this.#find(fh);
    return at !== null &&
      (Atomics.load(this.#words, at + STATE) & IS_WRITABLE) !== 0;
  }

  /** Whether a handle has not been told of all errors up to a count. */
  hasNews(fh: bigint, count: number): boolean {
    const at = this.#find(fh);
    return at !== null && isLess(Atomics.load(this.#words, at + SINCE), count);
  }

  /**
   * Notes that a handle is told of all errors up to a count.
   *
   * @returns Whether there were any; of several callers at once, one gets true.
   */
  tell(fh: bigint, count: number): boolean {
    const at = this.#find(fh);
    if (at === null) return false;
    const words = this.#words;
    for (;;) {
      const since = Atomics.load(words, at + SINCE);
      if (!isLess(since, count)) return false;
      const found = Atomics.compareExchange(words, at + SINCE, since, count);
      if (found === since) return true;
    }
  }

  /** Closes a handle; its number is not valid any more. */
  close(fh: bigint): void {
    const at = this.#find(fh);
    if (at !== null) Atomics.and(this.#words, at + STATE, -GENERATION);
  }

  /** The index of an open handle's slot. */
  #find(fh: bigint): number | null {
    const slot = Number(fh & LOW_WORD) - 1;
    if (slot < 0 || slot >= HANDLES_MAX) return null;
    const at = SLOTS_AT + slot * WORDS_OF_SLOT;
    const state = Atomics.load(this.#words, at + STATE);
    const isOpen = (state & IS_OPEN) !== 0;
    return isOpen && BigInt(generationOf(state)) === fh >> 32n ? at : null;
  }
}

function generationOf(state: number): number {
  return state >>> 2;
}

/** Compares counts that wrap around. */
function isLess(since: number, count: number): boolean {
  return (since - count | 0) < 0;
}
