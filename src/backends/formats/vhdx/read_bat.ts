/**
 * The block allocation table of a VHDX image: [MS-VHDX] 2.5. After the entries of
 * the blocks of each 2^23 sectors follows the entry of the bitmap of these.
 *
 * @module
 */
import type { Backend } from "../../backend.ts";
import type { VhdxMetadata } from "./metadata.ts";
import type { Region } from "./regions.ts";
import { refusal } from "./refusal.ts";
import { readStructure } from "./structure.ts";

/** States of blocks and bitmaps. */
export const BLOCK_STATE = {
  NOT_PRESENT: 0,
  UNDEFINED: 1,
  ZERO: 2,
  UNMAPPED: 3,
  /** An entry with a state or place that the format does not allow. */
  BAD: 4,
  /** What version 0.95 of the specification has for unmapped. */
  UNMAPPED_OLD: 5,
  PRESENT: 6,
  PARTLY_PRESENT: 7,
} as const;

/** Sectors that one bitmap is for. */
const CHUNK_SECTORS = 2 ** 23;
/** Bytes of a table at most: that of 64 TiB in blocks of 8 MiB. */
const TABLE_MAX = 64 << 20;
/** Bytes that are read at once. */
const PART = 1 << 20;
/** Mebibytes that an entry in memory can tell. */
const PLACES = 2 ** 29;

/** The table of an open image, for every thread. Plain data. */
export interface VhdxTable {
  /** Of each entry its place in mebibytes, times 8, plus its state. */
  readonly entries: SharedArrayBuffer;
  /** Bytes of a block. */
  readonly blockSize: number;
  readonly sectorSize: number;
  /** Blocks that one bitmap is for. */
  readonly chunkBlocks: number;
  /** Whether what the image does not have is in its parent. */
  readonly hasParent: boolean;
}

/**
 * Reads the table that a disk needs.
 *
 * @param file The image's file, as its log leaves it.
 * @param region Where the table is.
 * @param metadata What the disk is.
 * @param name The image's name in errors.
 * @throws {UserError} If the table is too short, or cannot be read.
 */
export async function readBat(
  file: Backend,
  region: Region,
  { size, blockSize, sectorSize, parent }: VhdxMetadata,
  name: string,
): Promise<VhdxTable> {
  const chunkBlocks = CHUNK_SECTORS * sectorSize / blockSize;
  const blocks = Math.ceil(size / blockSize);
  const hasParent = parent !== null;
  const chunks = Math.ceil(blocks / chunkBlocks);
  const needed = hasParent
    ? chunks * (chunkBlocks + 1)
    : blocks + Math.floor(Math.max(0, blocks - 1) / chunkBlocks);
  const length = needed * 8;
  if (length > TABLE_MAX) {
    throw refusal(
      name,
      `its table of ${needed} entries is too large`,
      "convert it to larger blocks with 'qemu-img convert'",
    );
  }
  if (length > region.length) {
    const why =
      `its table has ${region.length} bytes, yet ${size} bytes need ${length}`;
    throw refusal(name, why);
  }
  const words = new Uint32Array(new SharedArrayBuffer(4 * needed));
  for (let at = 0; at < length; at += PART) {
    const here = Math.min(PART, length - at);
    const part = await readStructure(file, region.offset + at, here, name);
    for (let i = 0; i < here / 8; i++) {
      words[at / 8 + i] = entryOf(part.view, 8 * i);
    }
  }
  const entries = words.buffer;
  return { entries, blockSize, sectorSize, chunkBlocks, hasParent };
}

/** An entry as it is kept: what has too far a place makes no sense. */
function entryOf(view: DataView, at: number): number {
  const low = view.getUint32(at, true);
  const place = view.getUint32(at + 4, true) * 2 ** 12 + (low >>> 20);
  const state = low & 7;
  return place < PLACES ? place * 8 + state : BLOCK_STATE.BAD;
}
