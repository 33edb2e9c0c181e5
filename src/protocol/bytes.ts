/** Rounds up to a multiple of 8: FUSE_REC_ALIGN() of fuse.h. */
export function align8(size: number): number {
  return Math.ceil(size / 8) * 8;
}

/** Joins pieces of bytes in a new buffer. */
export function concat(
  parts: readonly Uint8Array[],
): Uint8Array<ArrayBuffer> {
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
