import { ERRNO } from "../../../../base/errno.ts";
import type { Geometry } from "../geometry.ts";
import { BAD_TABLE, NO_TABLE } from "../../../mapped/l1_table.ts";
import { SliceChanges } from "./slice_changes.ts";
import type { Qcow2Tables } from "../qcow2_sources.ts";
import type { Refcounts } from "./refcounts.ts";
import type { Soon, Steps } from "./steps.ts";
import type { TableFile } from "./table_file.ts";
import type { WriteState } from "./write_state.ts";

/** No L2 table, and none was to be made. */
export const NO_SLICE = -200_000;

/** Bits of an entry of the array `flags`. */
const FLAG = {
  /** Only this disk has the L2 table. */
  COPIED: 1,
  /** The entry is to be written. */
  DIRTY: 2,
} as const;

/**
 * The L1 and L2 tables of a disk, for the owner of the metadata lock.
 */
export class DiskTables {
  readonly cache: SliceChanges;
  readonly l1: Uint32Array<SharedArrayBuffer>;
  /**
   * The words of the entries that `own()` has brought: a copy, because a reader in
   * another thread may put another slice in its slot at any moment.
   */
  readonly words: Int32Array<ArrayBuffer>;
  readonly #flags: Uint8Array<SharedArrayBuffer>;
  readonly #geometry: Geometry;

  /** Attaches to the tables of an open image. */
  constructor(
    { geometry, l1, cache }: Qcow2Tables,
    flags: SharedArrayBuffer,
    readonly state: WriteState,
    readonly file: TableFile,
    readonly refcounts: Refcounts,
  ) {
    this.cache = new SliceChanges(cache, geometry.sliceSize / 4, state.owner);
    this.l1 = new Uint32Array(l1);
    this.words = new Int32Array(geometry.sliceSize / 4);
    this.#flags = new Uint8Array(flags);
    this.#geometry = geometry;
  }

  /** Where a slice is in the file. */
  hostOf(slice: number): number {
    const { tableSlices, clusterSize, sliceSize } = this.#geometry;
    const table = Math.floor(slice / tableSlices);
    return Atomics.load(this.l1, table) * clusterSize +
      slice % tableSlices * sliceSize;
  }

  /**
   * Brings a slice into the cache so that it may be changed, and entries of it
   * into `words`: few, because each word takes an atomic load.
   *
   * @param slice Which.
   * @param mayAdd Whether to make its table if there is none.
   * @param entry The first entry.
   * @param count How many.
   * @returns 0 or a negative number.
   */
  own(slice: number, mayAdd: boolean, entry: number, count: number): Soon {
    const { tableSlices, entryWords } = this.#geometry;
    const table = Math.floor(slice / tableSlices);
    const first = entry * entryWords;
    const end = first + count * entryWords;
    const isThere = this.isOwn(table) && this.#hasTable(table) &&
      this.cache.copy(slice, this.words, first, end);
    return isThere ? 0 : this.#bring(slice, mayAdd, first, end);
  }

  /** The same for words of a slice that may need a table, or to be read. */
  *#bring(slice: number, mayAdd: boolean, first: number, end: number): Steps {
    const table = Math.floor(slice / this.#geometry.tableSlices);
    const cluster = Atomics.load(this.l1, table);
    if (cluster === BAD_TABLE) return -ERRNO.EIO;
    if (cluster === NO_TABLE && !mayAdd) return NO_SLICE;
    // A damaged image may mark an entry as copied that refers to no table.
    if (cluster === NO_TABLE || !this.isOwn(table)) {
      const error = yield* this.#makeOwn(table, cluster);
      if (error < 0) return error;
    }
    do {
      const load = this.file.load(this.cache, slice, this.hostOf(slice));
      const slot = typeof load === "number" ? load : yield* load;
      if (slot < 0) return slot;
    } while (!this.cache.copy(slice, this.words, first, end));
    return 0;
  }

  /**
   * Changes words of a slice that is this disk's own, reading it if it has left
   * the cache; 0 or a negative number.
   */
  change(slice: number, at: number, words: ArrayLike<number>): Soon {
    return this.cache.change(slice, at, words)
      ? 0
      : this.#bringAndChange(slice, at, words);
  }

  *#bringAndChange(
    slice: number,
    at: number,
    words: ArrayLike<number>,
  ): Steps {
    do {
      const error = yield* this.#bring(slice, false, 0, 0);
      if (error < 0) return error;
    } while (!this.cache.change(slice, at, words));
    return 0;
  }

  /** Whether an entry of the L1 table refers to an L2 table. */
  #hasTable(table: number): boolean {
    const cluster = Atomics.load(this.l1, table);
    return cluster !== NO_TABLE && cluster !== BAD_TABLE;
  }

  /** Whether an L2 table belongs to this disk alone. */
  isOwn(table: number): boolean {
    return (Atomics.load(this.#flags, table) & FLAG.COPIED) !== 0;
  }

  /** Sets an entry of the L1 table. */
  set(table: number, cluster: number): void {
    const flags = cluster === NO_TABLE ? FLAG.DIRTY : FLAG.DIRTY | FLAG.COPIED;
    Atomics.store(this.#flags, table, flags);
    Atomics.store(this.l1, table, cluster);
    this.state.noteDirty("L1", table);
  }

  /** Takes over an L1 table that was written to the file, with its flags. */
  replace(l1: Uint32Array, flags: Uint8Array): void {
    l1.forEach((cluster, table) => {
      Atomics.store(this.#flags, table, flags[table]!);
      Atomics.store(this.l1, table, cluster);
    });
    // Those who have seen the old places find out that they are out of date.
    this.cache.forgetAll();
  }

  /** Makes room in memory for more L2 tables. */
  grow(tables: number): void {
    this.#flags.buffer.grow(tables);
    this.l1.buffer.grow(4 * tables);
  }

  /** The changed entries of the L1 table, which then count as written. */
  takeDirty(): number[] {
    const { state } = this;
    const dirty: number[] = [];
    const to = state.get("L1_DIRTY_TO");
    for (let table = state.get("L1_DIRTY_FROM"); table < to; table++) {
      const before = Atomics.and(this.#flags, table, ~FLAG.DIRTY);
      if ((before & FLAG.DIRTY) !== 0) dirty.push(table);
    }
    state.set("L1_DIRTY_FROM", 0);
    state.set("L1_DIRTY_TO", 0);
    return dirty;
  }

  /** Takes back entries that could not be written. */
  returnDirty(tables: readonly number[]): void {
    for (const table of tables) {
      Atomics.or(this.#flags, table, FLAG.DIRTY);
      this.state.noteDirty("L1", table);
    }
  }

  /** The two words of an entry of the L1 table in the file. */
  entryOf(table: number): [number, number] {
    const cluster = Atomics.load(this.l1, table);
    if (cluster === NO_TABLE) return [0, 0];
    const at = cluster * this.#geometry.clusterSize;
    const copied = this.isOwn(table) ? 0x8000_0000 : 0;
    return [Math.floor(at / 2 ** 32) | copied, at % 2 ** 32 | 0];
  }

  /** Gives a disk an L2 table of its own: an empty one, or a copy. */
  *#makeOwn(table: number, old: number): Steps {
    const { refcounts, file } = this;
    const { clusterSize } = this.#geometry;
    const cluster = yield* refcounts.allocate(1);
    if (cluster < 0) return cluster;
    const at = cluster * clusterSize;
    let error = 0;
    if (old !== NO_TABLE) {
      const bytes = new Uint8Array(clusterSize);
      error = yield* file.read(old * clusterSize, bytes);
      if (error >= 0) error = yield* file.write(at, bytes);
    } else if (!refcounts.areUnused) {
      error = yield* file.writeZeroes(at, clusterSize);
    }
    if (error < 0) {
      yield* refcounts.free(cluster, 1);
      return error;
    }
    this.set(table, cluster);
    refcounts.tables.add(cluster);
    if (old !== NO_TABLE) refcounts.release(old, 1);
    return 0;
  }
}
