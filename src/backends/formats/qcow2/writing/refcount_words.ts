/**
 * Refcounts of 1 to 64 bits in words in host order, of which each was four bytes
 * of the file, the highest first.
 *
 * @module
 */
const TWO_32 = 2 ** 32;

/** Where refcounts are: a number `index` of a slice that starts at `start`. */
export interface RefcountPlace {
  /** The word of the slice; for 64 bits that with the upper half. */
  readonly word: number;
  /** The lowest bit in the word. */
  readonly shift: number;
}

/**
 * Finds a refcount in a slice.
 *
 * @param order The binary logarithm of its bits.
 * @param index Which refcount of the slice.
 */
export function refcountPlace(order: number, index: number): RefcountPlace {
  if (order === 6) return { word: 2 * index, shift: 0 };
  const bits = 1 << order;
  const word = index * bits >>> 5;
  const inWord = index - word * (32 / bits);
  // Below a byte the lowest bits come first; bytes are in file order.
  const perByte = Math.max(1, 8 / bits);
  const shift = bits >= 8
    ? 32 - bits * (inWord + 1)
    : 24 - 8 * Math.floor(inWord / perByte) + bits * (inWord % perByte);
  return { word, shift };
}

/** Reads a refcount. */
export function readRefcount(
  words: Int32Array,
  start: number,
  order: number,
  index: number,
): number {
  const { word, shift } = refcountPlace(order, index);
  const value = Atomics.load(words, start + word);
  if (order === 6) {
    return (value >>> 0) * TWO_32 +
      (Atomics.load(words, start + word + 1) >>> 0);
  }
  if (order === 5) return value >>> 0;
  return value >>> shift & (1 << (1 << order)) - 1;
}

/**
 * The words of a slice with another refcount.
 *
 * @returns One word, or two for 64 bits, to be stored from `place.word` on.
 */
export function withRefcount(
  words: Int32Array,
  start: number,
  order: number,
  index: number,
  refcount: number,
): number[] {
  if (order === 6) {
    return [Math.floor(refcount / TWO_32) | 0, refcount % TWO_32 | 0];
  }
  if (order === 5) return [refcount | 0];
  const { word, shift } = refcountPlace(order, index);
  const mask = (1 << (1 << order)) - 1 << shift;
  const old = Atomics.load(words, start + word);
  return [old & ~mask | refcount << shift & mask];
}
