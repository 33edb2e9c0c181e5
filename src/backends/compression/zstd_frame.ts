/** The first bytes of a frame, in its order. */
const MAGIC = 0xfd2fb528;
/** Bytes of a block's header. */
const BLOCK_HEADER = 3;
/** Type of a block of one repeated byte. */
const RLE = 1;
/** Bytes of the fields of a frame's header, by the codes in its descriptor. */
const DICTIONARY_ID = [0, 1, 2, 4];
const CONTENT_SIZE = [0, 2, 4, 8];

/**
 * The length of the Zstandard frame at the start of some bytes, by its header
 * and those of its blocks: RFC 8878, section 3.1.1.
 *
 * @returns `null` if there is no complete frame.
 */
export function zstdFrameLength(bytes: Uint8Array): number | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 5 || view.getUint32(0, true) !== MAGIC) return null;
  const descriptor = bytes[4]!;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const sizeCode = descriptor >> 6;
  const size = sizeCode === 0 && isSingleSegment ? 1 : CONTENT_SIZE[sizeCode]!;
  let at = 5 + (isSingleSegment ? 0 : 1) + DICTIONARY_ID[descriptor & 3]! +
    size;
  for (let isLast = false; !isLast;) {
    if (at + BLOCK_HEADER > bytes.length) return null;
    const header = bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16;
    isLast = (header & 1) !== 0;
    at += BLOCK_HEADER + ((header >> 1 & 3) === RLE ? 1 : header >> 3);
  }
  const hasChecksum = (descriptor & 4) !== 0;
  const end = at + (hasChecksum ? 4 : 0);
  return end <= bytes.length ? end : null;
}
