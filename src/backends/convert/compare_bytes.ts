/**
 * Comparing bytes in words of 32 bits: JavaScript has no faster loop that takes
 * every word for what it is. Floats do not: -0 equals 0, and NaN not itself.
 *
 * @module
 */

/** Words that are looked at before deciding whether to go on. */
const STRIDE = 16;

/**
 * Whether bytes are all zero.
 *
 * @param bytes At a multiple of 4 of their memory.
 * @param start The first byte, a multiple of 4.
 * @param length How many.
 */
export function isZero(
  bytes: Uint8Array,
  start: number,
  length: number,
): boolean {
  const words = wordsOf(bytes);
  const end = start + length;
  let at = start / 4;
  const last = Math.floor(end / 4);
  for (; at + STRIDE <= last; at += STRIDE) {
    let any = 0;
    for (let i = 0; i < STRIDE; i++) any |= words[at + i]!;
    if (any !== 0) return false;
  }
  for (; at < last; at++) if (words[at] !== 0) return false;
  for (let i = last * 4; i < end; i++) if (bytes[i] !== 0) return false;
  return true;
}

/**
 * Where two ranges of the same place and length differ first, to a word of 4
 * bytes.
 *
 * @returns Bytes from the start of the range; -1 if they are equal.
 */
export function firstDifference(
  one: Uint8Array,
  other: Uint8Array,
  start: number,
  length: number,
): number {
  const [a, b] = [wordsOf(one), wordsOf(other)];
  const end = start + length;
  const last = Math.floor(end / 4);
  for (let at = start / 4; at < last; at++) {
    if (a[at] !== b[at]) return at * 4 - start;
  }
  for (let i = last * 4; i < end; i++) {
    if (one[i] !== other[i]) return i - start;
  }
  return -1;
}

function wordsOf(bytes: Uint8Array): Int32Array {
  const { buffer, byteOffset, length } = bytes;
  return new Int32Array(buffer, byteOffset, length >> 2);
}
