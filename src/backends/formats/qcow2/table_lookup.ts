import type { Geometry } from "./geometry.ts";
import { BAD_TABLE, L1Table, NO_TABLE } from "./l1_table.ts";
import { L2Entries } from "./l2_entries.ts";
import { MAPPED, type Mapping } from "./mapping.ts";
import { cacheOwner, SliceCache } from "./slice_cache.ts";

/** Looks again if a slice changes during a look-up, before reading it anew. */
const LOOKS = 100;

/** The tables of an open image, for every thread. Plain data. */
export interface SharedTables {
  readonly geometry: Geometry;
  /** Of `readL1()`. */
  readonly l1: SharedArrayBuffer;
  /** Of `SliceCache.create()`. */
  readonly cache: SharedArrayBuffer;
}

/** A slice of an L2 table on its way from the file into the cache. */
export class SliceBuffer {
  /** As in the file. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** In host order, once it has been read. */
  readonly words: Int32Array<ArrayBuffer>;
  /** Which slice. */
  slice = -1;
  /** Where it is in the file. */
  host = 0;
  /** The cache's count before it was read. */
  changes = 0;

  /** Makes room for a slice. */
  constructor({ sliceSize }: Geometry) {
    this.bytes = new Uint8Array(sliceSize);
    this.words = new Int32Array(sliceSize / 4);
  }
}

/** Finds out what ranges of a disk are made of, in one thread. */
export class TableLookup {
  readonly #geometry: Geometry;
  readonly #l1: L1Table;
  readonly #cache: SliceCache;
  readonly #entries: L2Entries;

  /**
   * Attaches to the tables of an open image.
   *
   * @param owner The number of this thread, of `cacheOwner()`.
   */
  constructor({ geometry, l1, cache }: SharedTables, owner: number) {
    this.#geometry = geometry;
    this.#l1 = new L1Table(l1);
    this.#cache = new SliceCache(cache, geometry.sliceSize / 4, owner);
    this.#entries = new L2Entries(geometry);
  }

  /**
   * Maps the start of a range of the disk.
   *
   * @param position Where it starts; inside the disk.
   * @param length How long it is.
   * @param mapping Takes what the first bytes are made of, as many as the slice
   * tells.
   * @returns Whether it is known; if not, the slice has to be read.
   */
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

  /** Releases what the thread of a queue has locked that has ended. */
  queueEnded(queue: number): void {
    this.#cache.threadEnded(cacheOwner(queue));
  }

  /**
   * Prepares to read the slice that `map()` misses: it sets `host`, from where
   * `bytes` has to be filled.
   */
  prepare(position: number, into: SliceBuffer): void {
    const { sliceSpan, sliceSize, tableSlices, clusterSize } = this.#geometry;
    const slice = Math.floor(position / sliceSpan);
    const table = Math.floor(slice / tableSlices);
    into.slice = slice;
    into.changes = this.#cache.changes(slice);
    into.host = this.#l1.clusterOf(table) * clusterSize +
      slice % tableSlices * sliceSize;
  }

  /**
   * Caches a slice that has been read, and maps a range by it: also if it could
   * not be cached.
   *
   * @returns Whether it is mapped; if not, the cache had a newer state of the
   * slice meanwhile, and the caller maps once more.
   */
  mapRead(
    read: SliceBuffer,
    position: number,
    length: number,
    mapping: Mapping,
  ): boolean {
    const { words, bytes, slice, changes } = read;
    if (!this.#cache.isCurrent(slice, changes)) return false;
    for (let i = 0; i < words.length; i++) {
      const at = 4 * i;
      words[i] = bytes[at]! << 24 | bytes[at + 1]! << 16 |
        bytes[at + 2]! << 8 | bytes[at + 3]!;
    }
    this.#cache.add(slice, words, changes);
    const inSlice = position - slice * this.#geometry.sliceSpan;
    this.#entries.map(words, 0, position, inSlice, length, mapping);
    return true;
  }

  /** Maps what has no L2 table, as far as no further table follows. */
  #mapByL1(
    slice: number,
    inSlice: number,
    length: number,
    mapping: Mapping,
  ): boolean {
    const { sliceSpan, tableSlices } = this.#geometry;
    const table = Math.floor(slice / tableSlices);
    const cluster = this.#l1.clusterOf(table);
    if (cluster !== NO_TABLE && cluster !== BAD_TABLE) return false;
    const before = (slice - table * tableSlices) * sliceSpan + inSlice;
    const span = tableSlices * sliceSpan;
    let mapped = span - before;
    for (let next = table + 1; mapped < length; next++, mapped += span) {
      if (this.#l1.clusterOf(next) !== cluster) break;
    }
    mapping.setPlaceless(
      cluster === NO_TABLE ? MAPPED.UNALLOCATED : MAPPED.CORRUPT,
      Math.min(mapped, length),
    );
    return true;
  }
}
