const WORD = 8;

/** Whether bytes are those of `held` from `start` on. */
export function areBytesEqual(
  held: Uint8Array,
  start: number,
  bytes: Uint8Array,
): boolean {
  const { length } = bytes;
  const heldAt = held.byteOffset + start;
  let i = 0;
  if (heldAt % WORD === 0 && bytes.byteOffset % WORD === 0) {
    const count = Math.floor(length / WORD);
    i = WORD * count;
    const isSame = areWordsEqual(
      new BigInt64Array(held.buffer, heldAt, count),
      new BigInt64Array(bytes.buffer, bytes.byteOffset, count),
    );
    if (!isSame) return false;
  }
  for (; i < length; i++) if (held[start + i] !== bytes[i]) return false;
  return true;
}

/** A loop over arrays of one type, whose words never become objects. */
function areWordsEqual(a: BigInt64Array, b: BigInt64Array): boolean {
  for (let i = 0; i < b.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
