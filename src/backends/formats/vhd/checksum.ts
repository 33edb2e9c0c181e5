/**
 * Whether the checksum of a structure is right: the complement of the sum of its
 * bytes, without those of the checksum.
 *
 * @param bytes The structure.
 * @param at Where its checksum is.
 */
export function isSumRight(
  bytes: Uint8Array<ArrayBuffer>,
  at: number,
): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return view.getUint32(at) === sumOf(bytes, at);
}

/** The checksum that a structure has to have. */
export function sumOf(bytes: Uint8Array, at: number): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i++) {
    if (i < at || i >= at + 4) sum += bytes[i]!;
  }
  return ~sum >>> 0;
}
