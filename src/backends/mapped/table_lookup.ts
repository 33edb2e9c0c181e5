import { BAD_TABLE, L1Table, NO_TABLE } from "./l1_table.ts";
import { MAPPED, type Mapping } from "./mapping.ts";
import type { Lookup } from "./read_sources.ts";
import type { SliceBuffer } from "./slice_buffer.ts";
import { cacheOwner, SliceCache } from "./slice_cache.ts";

/** Looks again if a slice changes during a look-up, before reading it anew. */
const LOOKS = 100;

/** Where tables are, and what they map. Bytes unless said otherwise. */
export interface TableGeometry {
  /** A table is read and cached in slices. */
  readonly sliceSize: number;
  /** Bytes of the disk that a slice maps. */
  readonly sliceSpan: number;
  /** Slices of a table. */
  readonly tableSlices: number;
  /** The unit in which the table of tables says where they are. */
  readonly tableUnit: number;
}

/** The tables of an open image, for every thread. Plain data. */
export interface SharedTables {
  readonly geometry: TableGeometry;
  /** Of `L1Table`. */
  readonly l1: SharedArrayBuffer;
  /** Of `SliceCache.create()`. */
  readonly cache: SharedArrayBuffer;
}

/** Reads the entries of the tables of a format. */
export interface TableEntries {
  /** Turns a slice as it is in the file into words in host order. */
  decode(bytes: Uint8Array, words: Int32Array): void;
  /**
   * Maps a range of the disk by a slice in memory that may change meanwhile, so
   * each word is loaded once, by Atomics.
   *
   * @param words Where the slice is.
   * @param start Its first word.
   * @param position The start of the range.
   * @param inSlice The same from the start of what the slice maps.
   * @param length Its length; the mapping may be shorter.
   * @param mapping Takes the result, of at least one byte.
   */
  map(
    words: Int32Array,
    start: number,
    position: number,
    inSlice: number,
    length: number,
    mapping: Mapping,
  ): void;
}

/** Maps a disk by tables of two levels. */
export class TableLookup implements Lookup {
  readonly #geometry: TableGeometry;
  readonly #l1: L1Table;
  readonly #cache: SliceCache;
  readonly #entries: TableEntries;

  /**
   * Attaches to the tables of an open image.
   *
   * @param entries Reads their entries.
   * @param owner The number of this thread, of `cacheOwner()`.
   */
  constructor(
    { geometry, l1, cache }: SharedTables,
    entries: TableEntries,
    owner: number,
  ) {
    this.#geometry = geometry;
    this.#l1 = new L1Table(l1);
    this.#cache = new SliceCache(cache, geometry.sliceSize / 4, owner);
    this.#entries = entries;
  }

  map(position: number, length: number, mapping: Mapping): boolean {
    const { sliceSpan, sliceSize } = this.#geometry;
    const slice = Math.floor(position / sliceSpan);
    const inSlice = position - slice * sliceSpan;
    const cache = this.#cache;
    for (let look = 0; look < LOOKS; look++) {
      const slot = cache.find(slice);
      if (slot < 0) break;
      const start = slot * (sliceSize / 4);
      const { data } = cache;
      this.#entries.map(data, start, position, inSlice, length, mapping);
      if (cache.isUnchanged(slot)) return true;
    }
    return this.#mapByL1(slice, inSlice, length, mapping);
  }

  queueEnded(queue: number): void {
    this.#cache.threadEnded(cacheOwner(queue));
  }

  prepare(position: number, into: SliceBuffer): void {
    const { sliceSpan, sliceSize, tableSlices, tableUnit } = this.#geometry;
    const slice = Math.floor(position / sliceSpan);
    const table = Math.floor(slice / tableSlices);
    into.slice = slice;
    into.changes = this.#cache.changes(slice);
    into.host = this.#l1.unitOf(table) * tableUnit +
      slice % tableSlices * sliceSize;
  }

  mapRead(
    read: SliceBuffer,
    position: number,
    length: number,
    mapping: Mapping,
  ): boolean {
    const { words, bytes, slice, changes } = read;
    if (!this.#cache.isCurrent(slice, changes)) return false;
    this.#entries.decode(bytes, words);
    this.#cache.add(slice, words, changes);
    const inSlice = position - slice * this.#geometry.sliceSpan;
    this.#entries.map(words, 0, position, inSlice, length, mapping);
    return true;
  }

  /** Maps what has no table, as far as no further table follows. */
  #mapByL1(
    slice: number,
    inSlice: number,
    length: number,
    mapping: Mapping,
  ): boolean {
    const { sliceSpan, tableSlices } = this.#geometry;
    const table = Math.floor(slice / tableSlices);
    const unit = this.#l1.unitOf(table);
    if (unit !== NO_TABLE && unit !== BAD_TABLE) return false;
    const before = (slice - table * tableSlices) * sliceSpan + inSlice;
    const span = tableSlices * sliceSpan;
    let mapped = span - before;
    for (let next = table + 1; mapped < length; next++, mapped += span) {
      if (next >= this.#l1.length || this.#l1.unitOf(next) !== unit) break;
    }
    mapping.setPlaceless(
      unit === NO_TABLE ? MAPPED.UNALLOCATED : MAPPED.CORRUPT,
      Math.min(mapped, length),
    );
    return true;
  }
}
