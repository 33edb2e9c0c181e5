import { MAPPED, type Mapping } from "../../mapped/mapping.ts";
import type { Lookup } from "../../mapped/read_sources.ts";
import { BITMAP_SLICE, SectorBitmaps } from "../../mapped/sector_bitmaps.ts";
import type { SliceBuffer } from "../../mapped/slice_buffer.ts";
import { SECTOR } from "./footer.ts";

/** Bytes of the disk that a slice of a bitmap is for. */
const SLICE_SPAN = BITMAP_SLICE * 8 * SECTOR;

/** An entry of a block that the image does not have. */
export const NO_BLOCK = 0xffff_ffff;

/** The table of an open image, for every thread. Plain data. */
export interface VhdTable {
  /** The sector of each block, or {@linkcode NO_BLOCK}. */
  readonly entries: SharedArrayBuffer;
  /** Bytes of a block. */
  readonly blockSize: number;
  /** Whether sectors that the image does not have are in its parent. */
  readonly hasParent: boolean;
}

/** Bytes of the bitmap in front of each block: whole sectors. */
export function bitmapBytes(blockSize: number): number {
  return Math.ceil(blockSize / SECTOR / 8 / SECTOR) * SECTOR;
}

/** Maps a disk by a table of blocks, each with a bitmap of its sectors. */
export class VhdLookup implements Lookup {
  readonly #entries: Uint32Array;
  readonly #blockSize: number;
  readonly #bitmapBytes: number;
  /** Slices of the bitmap of a block. */
  readonly #blockSlices: number;
  readonly #missing: typeof MAPPED.UNALLOCATED | typeof MAPPED.ZERO;
  readonly #bitmaps = new SectorBitmaps(true);

  /** Attaches to the table of an open image. */
  constructor({ entries, blockSize, hasParent }: VhdTable) {
    this.#entries = new Uint32Array(entries);
    this.#blockSize = blockSize;
    this.#bitmapBytes = bitmapBytes(blockSize);
    this.#blockSlices = this.#bitmapBytes / BITMAP_SLICE;
    this.#missing = hasParent ? MAPPED.UNALLOCATED : MAPPED.ZERO;
  }

  map(position: number, length: number, mapping: Mapping): boolean {
    const block = Math.floor(position / this.#blockSize);
    const inBlock = position - block * this.#blockSize;
    if (this.#entries[block] === NO_BLOCK) {
      const most = Math.min(length, this.#blockSize - inBlock);
      mapping.setPlaceless(MAPPED.UNALLOCATED, most);
      return true;
    }
    const bitmap = this.#bitmaps.find(this.#sliceOf(block, inBlock));
    if (bitmap === null) return false;
    this.#mapBlock(block, inBlock, length, bitmap, mapping);
    return true;
  }

  prepare(position: number, into: SliceBuffer): void {
    const block = Math.floor(position / this.#blockSize);
    const inBlock = position - block * this.#blockSize;
    into.slice = this.#sliceOf(block, inBlock);
    into.file = 0;
    into.host = this.#entries[block]! * SECTOR +
      Math.floor(inBlock / SLICE_SPAN) * BITMAP_SLICE;
  }

  mapRead(
    { slice, bytes }: SliceBuffer,
    position: number,
    length: number,
    mapping: Mapping,
  ): boolean {
    this.#bitmaps.add(slice, bytes);
    const block = Math.floor(position / this.#blockSize);
    const inBlock = position - block * this.#blockSize;
    this.#mapBlock(block, inBlock, length, bytes, mapping);
    return true;
  }

  queueEnded(): void {}

  #sliceOf(block: number, inBlock: number): number {
    return block * this.#blockSlices + Math.floor(inBlock / SLICE_SPAN);
  }

  /** Maps a range of a block by a slice of its bitmap. */
  #mapBlock(
    block: number,
    inBlock: number,
    length: number,
    bitmap: Uint8Array,
    mapping: Mapping,
  ): void {
    const inSlice = inBlock % SLICE_SPAN;
    const most = Math.min(
      length,
      this.#blockSize - inBlock,
      SLICE_SPAN - inSlice,
    );
    const first = Math.floor(inSlice / SECTOR);
    const after = Math.ceil((inSlice + most) / SECTOR);
    const alike = this.#bitmaps.alike(bitmap, first, after);
    const mapped = Math.min(most, (first + alike) * SECTOR - inSlice);
    if (!this.#bitmaps.has(bitmap, first)) {
      mapping.setPlaceless(this.#missing, mapped);
      return;
    }
    mapping.setPlaceless(MAPPED.DATA, mapped);
    mapping.file = 0;
    mapping.host = this.#entries[block]! * SECTOR + this.#bitmapBytes + inBlock;
  }
}
