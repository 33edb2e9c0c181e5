import type { Geometry } from "../geometry.ts";
import { SliceChanges } from "./slice_changes.ts";
import { readRefcount, refcountPlace, withRefcount } from "./refcount_words.ts";
import type { Soon, Steps } from "./steps.ts";
import { NO_ROOM, type TableFile } from "./table_file.ts";
import type { WriteState } from "./write_state.ts";

/** The refcounts of an image, for every thread. Plain data. */
export interface SharedRefcounts {
  /** The binary logarithm of the bits of a refcount. */
  readonly order: number;
  /** For each refcount block its cluster, 0 without one. */
  readonly table: SharedArrayBuffer;
  /** Of `SliceCache.create()`. */
  readonly cache: SharedArrayBuffer;
  /** Whether the file can become larger. */
  readonly canGrow: boolean;
}

/**
 * Reads and changes the refcounts of an image's clusters, in slices that are
 * cached. All methods are for the owner of the metadata lock.
 */
export class RefcountSlices {
  readonly cache: SliceChanges;
  /** The clusters of refcount blocks. */
  readonly table: Uint32Array<SharedArrayBuffer>;
  readonly order: number;
  /** Refcounts of a block. */
  readonly perBlock: number;
  /** Refcounts of a slice. */
  readonly perSlice: number;
  readonly clusterSize: number;
  readonly #sliceSize: number;

  /** Attaches to the refcounts of an open image. */
  constructor(
    shared: SharedRefcounts,
    { clusterSize, sliceSize }: Geometry,
    readonly state: WriteState,
    readonly file: TableFile,
  ) {
    this.cache = new SliceChanges(shared.cache, sliceSize / 4, state.owner);
    this.table = new Uint32Array(shared.table);
    this.order = shared.order;
    this.clusterSize = clusterSize;
    this.perBlock = clusterSize * 8 / 2 ** shared.order;
    this.perSlice = sliceSize * 8 / 2 ** shared.order;
    this.#sliceSize = sliceSize;
  }

  /** Where a slice is in the file. */
  hostOf(slice: number): number {
    const first = slice * this.perSlice;
    const block = Math.floor(first / this.perBlock);
    const inBlock = slice - block * this.perBlock / this.perSlice;
    return this.blockAt(block) * this.clusterSize + inBlock * this.#sliceSize;
  }

  /** The refcount of a cluster, or a negative number. */
  *get(cluster: number): Steps {
    if (this.blockAt(Math.floor(cluster / this.perBlock)) === 0) return 0;
    const slot = yield* this.load(cluster);
    if (slot < 0) return slot;
    return this.read(slot, cluster % this.perSlice);
  }

  /** Sets the refcount of a cluster whose block exists; 0 or negative. */
  set(cluster: number, refcount: number): Soon {
    return this.#change(cluster, refcount) ? 0 : this.#bring(cluster, refcount);
  }

  /** Sets a refcount, reading the slice that it is in. */
  *#bring(cluster: number, refcount: number): Steps {
    do {
      const slot = yield* this.load(cluster);
      if (slot < 0) return slot;
    } while (!this.#change(cluster, refcount));
    return 0;
  }

  /** Sets a refcount if its slice is cached; returns whether it is. */
  #change(cluster: number, refcount: number): boolean {
    const { cache, order } = this;
    const slice = Math.floor(cluster / this.perSlice);
    const index = cluster % this.perSlice;
    const slot = cache.find(slice);
    if (slot < 0) return false;
    const start = slot * (this.#sliceSize / 4);
    const words = withRefcount(cache.data, start, order, index, refcount);
    const { word } = refcountPlace(order, index);
    if (!cache.change(slice, word, words)) return false;
    if (refcount === 0 && cluster < this.state.get("FREE_FROM")) {
      this.state.set("FREE_FROM", cluster);
    }
    return true;
  }

  /** Brings the slice with a refcount into the cache; its slot, or negative. */
  *load(cluster: number): Steps {
    const slice = Math.floor(cluster / this.perSlice);
    const load = this.file.load(this.cache, slice, this.hostOf(slice));
    const slot = typeof load === "number" ? load : yield* load;
    if (slot === NO_ROOM) this.state.set("REFCOUNTS_FULL", 1);
    return slot;
  }

  /** A refcount of a slice that is cached. */
  read(slot: number, index: number): number {
    const start = slot * (this.#sliceSize / 4);
    return readRefcount(this.cache.data, start, this.order, index);
  }

  /** The cluster of a block, 0 without one. */
  blockAt(block: number): number {
    return block < this.table.length ? Atomics.load(this.table, block) : 0;
  }
}
