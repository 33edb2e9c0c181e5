import { ERRNO } from "../../../../base/errno.ts";
import { INCOMPATIBLE } from "../constants.ts";
import { writeIncompatible } from "../feature_bits.ts";
import type { SyncErrors } from "../../../sync_errors.ts";
import type { SliceChanges } from "./slice_changes.ts";
import { entryWords } from "./table_file.ts";
import { giveBack } from "./give_back.ts";
import { featuresOf } from "./mark_corrupt.ts";
import type { Steps } from "./steps.ts";
import type { WritableParts } from "./writable_parts.ts";
import { DIRTY_BIT } from "./write_state.ts";

/** Slices of L2 tables that are copied at once: a mebibyte. */
const SLICES_MAX = 256;

/** A copy of a changed slice, and where it belongs. */
interface Copy {
  readonly slot: number;
  readonly host: number;
  readonly words: Int32Array;
}

/**
 * Writes changed tables to the file, in an order that a crash at any point
 * leaves with clusters that are in use and not referred to, at worst: data and
 * refcounts are durable before an entry refers to a cluster, and entries are
 * changed durably before the refcounts of what they referred to go down.
 */
export class DiskFlush {
  readonly #image: WritableParts;
  readonly #errors: SyncErrors;

  /** Prepares to flush an image; counts what the file's flushes do not. */
  constructor(image: WritableParts, errors: SyncErrors) {
    this.#image = image;
    this.#errors = errors;
  }

  /** Whether the file has all tables, durably as far as it was flushed. */
  get isClean(): boolean {
    const { state, disk, isLazy } = this.#image;
    const isDirty = disk.cache.dirtyCount > 0 || state.isDirty("L1") ||
      state.freed.isUnflushed || (!isLazy && this.#hasRefcounts);
    // In this order: a thread that flushes takes the lock first, and one that
    // ends while it flushes leaves nothing that is listed as dirty.
    return !isDirty && !state.flush.isHeld && !state.hasFailed;
  }

  /** Whether refcounts are to be written. */
  get #hasRefcounts(): boolean {
    const { state, refcounts } = this.#image;
    return refcounts.cache.dirtyCount > 0 || state.isDirty("TABLE");
  }

  /** Makes everything durable; 0 or a negated errno. */
  *flush(): Steps {
    const { state, data } = this.#image;
    const { flush } = state;
    yield flush.lock();
    try {
      if (state.hasFailed) {
        const error = yield data.flush();
        return this.#count(error < 0 ? error : -ERRNO.EIO);
      }
      for (;;) {
        const result = yield* this.#round();
        if (result !== 1) return result;
      }
    } finally {
      flush.unlock();
    }
  }

  /** Writes some tables; returns 1 if there are more. */
  *#round(): Steps {
    const { state, disk } = this.#image;
    const slices: Copy[] = [];
    let tables: number[] = [];
    let entries: [number, number][] = [];
    let at = 0;
    let sealed = 0;
    let hasMore = false;
    yield state.tables.lock();
    try {
      // A thread that has ended may have left tables half changed.
      if (state.hasFailed) return -ERRNO.EIO;
      this.#copyDirty(disk.cache, (slice) => disk.hostOf(slice), slices);
      at = state.get("L1_AT");
      tables = disk.takeDirty();
      entries = tables.map((table) => disk.entryOf(table));
      hasMore = disk.cache.dirtyCount > 0;
      // Every change of an entry that freed one of them is among the copies.
      sealed = state.freed.seal();
    } finally {
      state.tables.unlock();
    }
    let error = 0;
    try {
      error = yield* this.#writeAll(slices, tables, entries, at);
    } catch (thrown) {
      yield* this.#done(slices, tables, false);
      throw thrown;
    }
    yield* this.#done(slices, tables, error >= 0);
    if (error < 0) return error;
    if (hasMore) return 1;
    state.freed.flushed(sealed);
    return yield* giveBack(this.#image, () => this.#writeRefcounts());
  }

  *#writeAll(
    slices: readonly Copy[],
    tables: readonly number[],
    entries: readonly [number, number][],
    at: number,
  ): Steps {
    const { tableFile, data, geometry: { clusterSize } } = this.#image;
    const { file } = tableFile;
    const { state, isLazy } = this.#image;
    const isLate = isLazy && state.get("REFCOUNTS_FULL") === 0;
    let error = isLate
      ? yield* this.#setDirty(slices.length + tables.length > 0)
      : yield* this.#writeRefcounts();
    if (error < 0) return error;
    if (data !== file) {
      error = yield data.flush();
      if (error < 0) return error;
    }
    error = yield file.flush();
    if (error < 0) return error;
    if (!isLate) error = yield* this.#writeTable();
    if (error < 0) return error;
    if (slices.length === 0 && tables.length === 0) return 0;
    error = yield* this.#write(slices);
    for (let i = 0; i < tables.length && error >= 0; i++) {
      const host = at * clusterSize + tables[i]! * 8;
      error = this.#count(yield* tableFile.writeWords(host, entries[i]!));
    }
    return error < 0 ? error : yield file.flush();
  }

  /**
   * Sets the dirty bit before anything that relies on refcounts which are not
   * written yet.
   */
  *#setDirty(hasTables: boolean): Steps {
    if (this.#image.state.get("DIRTY_BIT") === DIRTY_BIT.SET) return 0;
    if (!hasTables && !this.#hasRefcounts) return 0;
    return yield* this.#writeDirty(DIRTY_BIT.SET);
  }

  /**
   * Writes the dirty bit, durably. Until that has succeeded, it may be either: it
   * is written again before anything relies on it.
   */
  *#writeDirty(wanted: number): Steps {
    const { state, tableFile: { file } } = this.#image;
    const others = featuresOf(this.#image) & ~INCOMPATIBLE.DIRTY;
    const dirty = wanted === DIRTY_BIT.SET ? INCOMPATIBLE.DIRTY : 0n;
    state.set("DIRTY_BIT", DIRTY_BIT.UNKNOWN);
    let error = this.#count(yield writeIncompatible(file, others | dirty));
    if (error >= 0) error = yield file.flush();
    if (error >= 0) state.set("DIRTY_BIT", wanted);
    return error;
  }

  /** Writes the refcounts at the end, and then clears the dirty bit. */
  *settle(): Steps {
    const { state, tableFile: { file }, isLazy } = this.#image;
    if (!isLazy) return 0;
    yield state.flush.lock();
    try {
      if (state.hasFailed) return -ERRNO.EIO;
      let error = yield* this.#writeRefcounts();
      if (error >= 0) error = yield file.flush();
      if (error >= 0) error = yield* this.#writeTable();
      if (error < 0 || state.get("DIRTY_BIT") === DIRTY_BIT.CLEAR) return error;
      return yield* this.#writeDirty(DIRTY_BIT.CLEAR);
    } finally {
      state.flush.unlock();
    }
  }

  /** Writes changed refcounts; the flush lock is held. */
  *#writeRefcounts(): Steps {
    const { state, refcounts } = this.#image;
    for (;;) {
      const copies: Copy[] = [];
      yield state.tables.lock();
      const { cache } = refcounts;
      const hostOf = (slice: number) => refcounts.hostOf(slice);
      this.#copyDirty(cache, hostOf, copies);
      state.set("REFCOUNTS_FULL", 0);
      state.tables.unlock();
      if (copies.length === 0) return 0;
      const error = yield* this.#write(copies);
      yield state.tables.lock();
      for (const { slot } of copies) refcounts.cache.written(slot, error >= 0);
      state.tables.unlock();
      if (error < 0) return error;
    }
  }

  /** Writes changed entries of the refcount table, whose blocks are durable. */
  *#writeTable(): Steps {
    const { state, refcounts, tableFile, geometry } = this.#image;
    if (!state.isDirty("TABLE")) return 0;
    yield state.tables.lock();
    const from = state.get("TABLE_DIRTY_FROM");
    const to = state.get("TABLE_DIRTY_TO");
    const words: number[] = [];
    for (let block = from; block < to; block++) {
      const cluster = Atomics.load(refcounts.table, block);
      words.push(...entryWords(cluster * geometry.clusterSize));
    }
    state.set("TABLE_DIRTY_FROM", 0);
    state.set("TABLE_DIRTY_TO", 0);
    const host = state.get("TABLE_AT") * geometry.clusterSize + from * 8;
    state.tables.unlock();
    let error = this.#count(yield* tableFile.writeWords(host, words));
    if (error >= 0) error = yield tableFile.file.flush();
    if (error >= 0) return 0;
    yield state.tables.lock();
    state.noteDirty("TABLE", from);
    state.noteDirty("TABLE", to - 1);
    state.tables.unlock();
    return error;
  }

  #copyDirty(
    cache: SliceChanges,
    hostOf: (slice: number) => number,
    into: Copy[],
  ): void {
    const { geometry: { sliceSize } } = this.#image;
    while (into.length < SLICES_MAX) {
      const words = new Int32Array(sliceSize / 4);
      const slot = cache.takeDirty(words);
      if (slot < 0) break;
      into.push({ slot, host: hostOf(cache.sliceIn(slot)), words });
    }
  }

  *#write(copies: readonly Copy[]): Steps {
    const { tableFile } = this.#image;
    for (const { host, words } of copies) {
      const error = this.#count(yield* tableFile.writeWords(host, words));
      if (error < 0) return error;
    }
    return 0;
  }

  *#done(
    slices: readonly Copy[],
    tables: readonly number[],
    isWritten: boolean,
  ): Steps {
    const { state, disk } = this.#image;
    yield state.tables.lock();
    for (const { slot } of slices) disk.cache.written(slot, isWritten);
    if (!isWritten) disk.returnDirty(tables);
    state.tables.unlock();
    return 0;
  }

  /** Counts a failed write, of which no flush of the file tells. */
  #count(result: number): number {
    if (result < 0) this.#errors.add(-result);
    return result;
  }
}
