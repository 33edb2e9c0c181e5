/** The first bytes of a frame, in its order. */
const MAGIC = 0xfd2fb528;
/** Bytes of a block's header. */
const BLOCK_HEADER = 3;
/** Bytes that a block gives at most (Block_Maximum_Size). */
const BLOCK_MAX = 128 << 10;
/** Type of a block of one repeated byte. */
const RLE = 1;
/** Bytes of the fields of a frame's header, by the codes in its descriptor. */
const DICTIONARY_ID = [0, 1, 2, 4];
const CONTENT_SIZE = [0, 2, 4, 8];

/** A frame, by its headers. Bytes. */
export interface ZstdFrame {
  /** Its length. */
  readonly length: number;
  /** What it gives at most. */
  readonly most: number;
}

/**
 * The length of the Zstandard frame at the start of some bytes.
 *
 * @returns `null` if there is no complete frame.
 */
export function zstdFrameLength(bytes: Uint8Array): number | null {
  return zstdFrame(bytes)?.length ?? null;
}

/**
 * The Zstandard frame at the start of some bytes, by its header and those of its
 * blocks: RFC 8878, section 3.1.1.
 *
 * @returns `null` if there is no complete frame.
 */
export function zstdFrame(bytes: Uint8Array): ZstdFrame | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 5 || view.getUint32(0, true) !== MAGIC) return null;
  const descriptor = bytes[4]!;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const sizeCode = descriptor >> 6;
  const size = sizeCode === 0 && isSingleSegment ? 1 : CONTENT_SIZE[sizeCode]!;
  let at = 5 + (isSingleSegment ? 0 : 1) + DICTIONARY_ID[descriptor & 3]! +
    size;
  let most = 0;
  for (let isLast = false; !isLast; most += BLOCK_MAX) {
    if (at + BLOCK_HEADER > bytes.length) return null;
    const header = bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16;
    isLast = (header & 1) !== 0;
    at += BLOCK_HEADER + ((header >> 1 & 3) === RLE ? 1 : header >> 3);
  }
  const hasChecksum = (descriptor & 4) !== 0;
  const end = at + (hasChecksum ? 4 : 0);
  return end <= bytes.length ? { length: end, most } : null;
}
