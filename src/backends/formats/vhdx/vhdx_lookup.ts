import {
  MAPPED,
  type Mapping,
  type MappingKind,
} from "../../mapped/mapping.ts";
import type { Lookup } from "../../mapped/read_sources.ts";
import { BITMAP_SLICE, SectorBitmaps } from "../../mapped/sector_bitmaps.ts";
import type { SliceBuffer } from "../../mapped/slice_buffer.ts";
import { BLOCK_STATE, type VhdxTable } from "./read_bat.ts";
import { MIB } from "./structure.ts";

/** Maps a disk by a table of blocks, and bitmaps for those that are not whole. */
export class VhdxLookup implements Lookup {
  readonly #entries: Uint32Array;
  readonly #blockSize: number;
  readonly #sectorSize: number;
  readonly #chunkBlocks: number;
  readonly #hasParent: boolean;
  /** Bytes of the disk that a slice of a bitmap is for. */
  readonly #sliceSpan: number;
  /** What blocks are that are neither here nor partly here, by their states. */
  readonly #kinds: readonly MappingKind[];
  readonly #bitmaps = new SectorBitmaps(false);

  /** Attaches to the table of an open image. */
  constructor(
    { entries, blockSize, sectorSize, chunkBlocks, hasParent }: VhdxTable,
  ) {
    this.#entries = new Uint32Array(entries);
    this.#blockSize = blockSize;
    this.#sectorSize = sectorSize;
    this.#chunkBlocks = chunkBlocks;
    this.#hasParent = hasParent;
    this.#sliceSpan = BITMAP_SLICE * 8 * sectorSize;
    const kinds: MappingKind[] = Array(8).fill(MAPPED.ZERO);
    if (hasParent) kinds[BLOCK_STATE.NOT_PRESENT] = MAPPED.UNALLOCATED;
    kinds[BLOCK_STATE.BAD] = MAPPED.CORRUPT;
    // Without a parent, or without a bitmap, no block is partly there.
    kinds[BLOCK_STATE.PARTLY_PRESENT] = MAPPED.CORRUPT;
    this.#kinds = kinds;
  }

  map(position: number, length: number, mapping: Mapping): boolean {
    const block = Math.floor(position / this.#blockSize);
    const inBlock = position - block * this.#blockSize;
    const most = Math.min(length, this.#blockSize - inBlock);
    const chunk = Math.floor(block / this.#chunkBlocks);
    const entry = this.#entries[block + chunk]!;
    const state = entry & 7;
    if (state === BLOCK_STATE.PRESENT) {
      this.#setData(entry, inBlock, most, mapping);
      return true;
    }
    const isPartly = state === BLOCK_STATE.PARTLY_PRESENT && this.#hasParent;
    if (!isPartly || this.#bitmapAt(chunk) < 0) {
      mapping.setPlaceless(this.#kinds[state]!, most);
      return true;
    }
    const slice = Math.floor(position / this.#sliceSpan);
    const bitmap = this.#bitmaps.find(slice);
    if (bitmap === null) return false;
    this.#mapPartly(position, most, bitmap, mapping);
    return true;
  }

  prepare(position: number, into: SliceBuffer): void {
    const slice = Math.floor(position / this.#sliceSpan);
    const chunkSpan = this.#blockSize * this.#chunkBlocks;
    const chunk = Math.floor(position / chunkSpan);
    into.slice = slice;
    into.file = 0;
    into.host = this.#bitmapAt(chunk) +
      (slice - chunk * (chunkSpan / this.#sliceSpan)) * BITMAP_SLICE;
  }

  mapRead(
    { slice, bytes }: SliceBuffer,
    position: number,
    length: number,
    mapping: Mapping,
  ): boolean {
    this.#bitmaps.add(slice, bytes);
    const most = Math.min(length, this.#blockSize - position % this.#blockSize);
    this.#mapPartly(position, most, bytes, mapping);
    return true;
  }

  queueEnded(): void {}

  /** Where the bitmap of a chunk is; -1 if there is none. */
  #bitmapAt(chunk: number): number {
    const entry = this.#entries[(chunk + 1) * (this.#chunkBlocks + 1) - 1];
    if (entry === undefined || (entry & 7) !== BLOCK_STATE.PRESENT) return -1;
    return (entry >>> 3) * MIB;
  }

  #setData(
    entry: number,
    inBlock: number,
    length: number,
    mapping: Mapping,
  ): void {
    mapping.setPlaceless(MAPPED.DATA, length);
    mapping.file = 0;
    mapping.host = (entry >>> 3) * MIB + inBlock;
  }

  /** Maps a range of a block by a slice of its bitmap. */
  #mapPartly(
    position: number,
    length: number,
    bitmap: Uint8Array,
    mapping: Mapping,
  ): void {
    const inSlice = position % this.#sliceSpan;
    const most = Math.min(length, this.#sliceSpan - inSlice);
    const first = Math.floor(inSlice / this.#sectorSize);
    const after = Math.ceil((inSlice + most) / this.#sectorSize);
    const alike = this.#bitmaps.alike(bitmap, first, after);
    const end = (first + alike) * this.#sectorSize;
    const mapped = Math.min(most, end - inSlice);
    if (!this.#bitmaps.has(bitmap, first)) {
      mapping.setPlaceless(MAPPED.UNALLOCATED, mapped);
      return;
    }
    const block = Math.floor(position / this.#blockSize);
    const chunk = Math.floor(block / this.#chunkBlocks);
    const entry = this.#entries[block + chunk]!;
    this.#setData(entry, position % this.#blockSize, mapped, mapping);
  }
}
