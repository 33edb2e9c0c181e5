import { ERRNO } from "../../../../base/errno.ts";
import type { Geometry } from "../geometry.ts";
import { RefcountSlices, type SharedRefcounts } from "./refcount_slices.ts";
import { growTable, ownBlock } from "./refcount_table.ts";
import { type Soon, type Steps, stepsOf } from "./steps.ts";
import type { TableClusters } from "./table_clusters.ts";
import type { TableFile } from "./table_file.ts";
import type { WriteState } from "./write_state.ts";

/** Bytes by which a file grows at least, so that it grows seldom. */
const GROWTH = 8 << 20;
/** Clusters have numbers below this one. */
const CLUSTERS_MAX = 0xffff_ffff;

/** No cluster of a slice is free. A number that is no errno. */
const NO_CLUSTER = -1_000_000;

/** A table has refcount 0: the refcounts make no sense. */
export const BAD_REFCOUNTS = -400_000;

/**
 * The refcounts of an image's clusters, as one thread sees them, and the search
 * for free ones. All methods are for the owner of the metadata lock.
 */
export class Refcounts extends RefcountSlices {
  /** How many clusters `allocate()` has allocated. */
  allocated = 0;
  /** Whether they were never written, so that they are zeroes. */
  areUnused = false;
  readonly #canGrow: boolean;

  /** Attaches to the refcounts of an open image. */
  constructor(
    shared: SharedRefcounts,
    geometry: Geometry,
    state: WriteState,
    file: TableFile,
    readonly tables: TableClusters,
  ) {
    super(shared, geometry, state, file);
    this.#canGrow = shared.canGrow;
  }

  /**
   * Allocates clusters that follow each other: as many as are free at the first
   * free place, and tells that by `allocated`.
   *
   * @param count How many at most.
   * @returns The first one, or a negative number.
   */
  *allocate(count: number): Steps {
    const at = this.state.get("FREE_FROM");
    const cached = this.#freeInCache(at, count);
    const first = cached === NO_CLUSTER ? yield* this.#findFree(count) : cached;
    if (first < 0) return first;
    const found = this.allocated;
    const extend = this.extendFile(first + found);
    const error = typeof extend === "number" ? extend : yield* extend;
    if (error < 0) return error;
    for (let done = 0; done < found; done++) {
      const set = this.set(first + done, 1);
      const result = typeof set === "number" ? set : yield* set;
      if (result < 0) {
        yield* this.free(first, done);
        return result;
      }
    }
    this.state.set("FREE_FROM", first + found);
    this.areUnused = this.use(first, found);
    this.allocated = found;
    return first;
  }

  /**
   * Allocates clusters that follow each other, exactly as many as wanted.
   *
   * @returns The first one, or a negative number.
   */
  *allocateRun(count: number): Steps {
    const passed: [first: number, count: number][] = [];
    let first = 0;
    let found = 0;
    while (found < count) {
      const next = yield* this.allocate(count - found);
      if (next < 0) {
        passed.push([first, found]);
        first = next;
        break;
      }
      if (next !== first + found) {
        if (found > 0) passed.push([first, found]);
        first = next;
        found = 0;
      }
      found += this.allocated;
    }
    for (const range of passed) yield* this.free(...range);
    return first;
  }

  /** Frees clusters that no table has ever referred to. */
  *free(first: number, count: number): Steps {
    for (let done = 0; done < count; done++) {
      const error = yield* stepsOf(this.set(first + done, 0));
      if (error >= 0) continue;
      this.release(first + done, count - done);
      break;
    }
    return 0;
  }

  /**
   * Gives back a reference to each of some clusters. If there is no room to note
   * that, they are leaked: nothing else is wrong with them.
   */
  release(first: number, count: number): void {
    const { freed, epochs } = this.state;
    freed.add(first, count, epochs.current);
  }

  /** Notes that clusters are used; returns whether none of them was before. */
  use(first: number, count: number): boolean {
    const unused = this.state.get("UNUSED_FROM");
    const end = first + count;
    if (end > unused) this.state.set("UNUSED_FROM", end);
    return this.#canGrow && first >= unused;
  }

  /** Makes the file long enough for the clusters up to one. */
  extendFile(end: number): Soon {
    return end <= this.state.get("FILE_CLUSTERS") ? 0 : this.#growFile(end);
  }

  *#growFile(end: number): Steps {
    const { state, clusterSize } = this;
    if (!this.#canGrow) return -ERRNO.ENOSPC;
    const ahead = Math.ceil(GROWTH / clusterSize);
    for (const clusters of [end + ahead, end]) {
      const error = yield this.file.file.truncate(clusters * clusterSize);
      if (error < 0 && clusters === end) return error;
      if (error < 0) continue;
      state.set("FILE_CLUSTERS", clusters);
      break;
    }
    return 0;
  }

  /** Whether a cluster belongs to the header, the L1 or the refcount table. */
  isTable(cluster: number): boolean {
    const { state, clusterSize } = this;
    const l1 = state.get("L1_AT");
    const l1Clusters = Math.ceil(state.get("L1_ENTRIES") * 8 / clusterSize);
    const table = state.get("TABLE_AT");
    const end = table + state.get("TABLE_CLUSTERS");
    return cluster === 0 || (cluster >= table && cluster < end) ||
      (cluster >= l1 && cluster < l1 + l1Clusters) ||
      cluster === this.blockAt(Math.floor(cluster / this.perBlock));
  }

  *#findFree(count: number): Steps {
    let at = this.state.get("FREE_FROM");
    for (;;) {
      if (at >= CLUSTERS_MAX) return -ERRNO.ENOSPC;
      const block = Math.floor(at / this.perBlock);
      if (this.blockAt(block) === 0) {
        const error = yield* this.#addBlock(block, at);
        if (error < 0) return error;
        continue;
      }
      const slot = yield* this.load(at);
      if (slot < 0) return slot;
      const first = this.#freeIn(slot, at, count);
      if (first !== NO_CLUSTER) return first;
      at += this.perSlice - at % this.perSlice;
      this.state.set("FREE_FROM", at);
    }
  }

  /**
   * What `#freeIn()` finds in the slice of a cluster if it is cached: without
   * steps, because that is how it mostly is.
   */
  #freeInCache(at: number, count: number): number {
    const isThere = at < CLUSTERS_MAX &&
      this.blockAt(Math.floor(at / this.perBlock)) !== 0;
    const slot = isThere
      ? this.cache.find(Math.floor(at / this.perSlice))
      : NO_CLUSTER;
    return slot < 0 ? NO_CLUSTER : this.#freeIn(slot, at, count);
  }

  /**
   * The first free cluster of a slice from one on, and how many follow; none if
   * all are used.
   */
  #freeIn(slot: number, at: number, count: number): number {
    const perSlice = this.perSlice;
    let index = at % perSlice;
    const start = at - index;
    while (index < perSlice && this.read(slot, index) !== 0) index++;
    if (index === perSlice) return NO_CLUSTER;
    // The refcounts would let it overwrite a table.
    if (this.isTable(start + index)) return BAD_REFCOUNTS;
    let found = 1;
    const most = Math.min(count, perSlice - index);
    while (found < most && this.read(slot, index + found) === 0) found++;
    this.allocated = found;
    return start + index;
  }

  /** Adds a block, in the first cluster that it describes. */
  *#addBlock(block: number, at: number): Steps {
    if (block === 0) return -ERRNO.EIO;
    if (block >= this.table.length) return yield* growTable(this, block);
    let error = yield* stepsOf(this.extendFile(at + 1));
    if (error < 0) return error;
    this.use(at, 1);
    const words = ownBlock(this, block, at, 1);
    error = yield* this.file.writeWords(at * this.clusterSize, words);
    if (error < 0) return error;
    Atomics.store(this.table, block, at);
    this.tables.add(at);
    this.state.noteDirty("TABLE", block);
    return 0;
  }
}
