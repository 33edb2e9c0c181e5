import { ERRNO } from "../../../../base/errno.ts";
import { LIMIT } from "../constants.ts";
import type { DiskZeroes } from "./disk_zeroes.ts";
import { badRefcounts } from "./mark_corrupt.ts";
import { BAD_REFCOUNTS } from "./refcounts.ts";
import type { Steps } from "./steps.ts";
import { NO_ROOM } from "./table_file.ts";
import type { WritableParts } from "./writable_parts.ts";

/** Positions of fields of the header. */
const SIZE_FIELD = 24;
const L1_FIELDS = 36;

/** Changes the size of a disk. The export makes no other change meanwhile. */
export class DiskResize {
  readonly #image: WritableParts;
  readonly #zeroes: DiskZeroes;

  /** Prepares to resize an image. */
  constructor(image: WritableParts, zeroes: DiskZeroes) {
    this.#image = image;
    this.#zeroes = zeroes;
  }

  /** Sets the size; 0 or a negated errno. */
  *resize(size: number): Steps {
    const { state } = this.#image;
    const old = state.size;
    if (size === old) return 0;
    // Snapshots, if there are any, may have no sizes of their own.
    if (state.get("SNAPSHOTS") > 0) return -ERRNO.EOPNOTSUPP;
    if (size < old) {
      const error = yield* this.#zeroes.zero(size, old - size, true);
      if (error < 0 && error !== -ERRNO.EOPNOTSUPP) return error;
      if (error < 0) return yield* this.#zeroesThenSize(size, old);
      return yield* this.#setSize(size);
    }
    let error = yield* this.#growL1(size);
    if (error < 0) return error;
    error = yield* this.#growData(size);
    if (error < 0) return error;
    // What follows the old end in its cluster, and below, must be zeroes.
    state.size = size;
    error = yield* this.#zeroes.zero(old, size - old, false);
    if (error >= 0) error = yield* this.#setSize(size);
    if (error < 0) state.size = old;
    return error;
  }

  *#zeroesThenSize(size: number, old: number): Steps {
    const error = yield* this.#zeroes.zero(size, old - size, false);
    return error < 0 ? error : yield* this.#setSize(size);
  }

  /** Writes the size to the header, once everything else is durable. */
  *#setSize(size: number): Steps {
    const { state, tableFile, flush } = this.#image;
    let error = yield flush();
    if (error < 0) return error;
    const field = new DataView(new ArrayBuffer(8));
    field.setBigUint64(0, BigInt(size));
    const bytes = new Uint8Array(field.buffer);
    error = yield* tableFile.write(SIZE_FIELD, bytes);
    if (error < 0) return error;
    error = yield tableFile.file.flush();
    if (error >= 0) state.size = size;
    return error;
  }

  *#growData(size: number): Steps {
    const { data, geometry: { hasDataFile } } = this.#image;
    return hasDataFile ? yield data.truncate(size) : 0;
  }

  /** Gives the L1 table entries for a size; moves it if it has to. */
  *#growL1(size: number): Steps {
    const { state, geometry } = this.#image;
    const { sliceSpan, tableSlices } = geometry;
    const needed = Math.ceil(size / (sliceSpan * tableSlices));
    if (needed <= state.get("L1_ENTRIES")) return 0;
    if (needed * 8 > LIMIT.L1_BYTES) return -ERRNO.EFBIG;
    return yield* this.#moveL1(needed);
  }

  *#moveL1(needed: number): Steps {
    const { state, disk, refcounts, tableFile, geometry, flush } = this.#image;
    const { clusterSize } = geometry;
    const clusters = Math.ceil(needed * 8 / clusterSize);
    const entries = Math.min(clusters * clusterSize, LIMIT.L1_BYTES) / 8;
    const beforeEntries = state.get("L1_ENTRIES");
    let first = yield* this.#locked(() => this.#copyL1(clusters));
    if (first === BAD_REFCOUNTS) return badRefcounts(this.#image);
    while (first === NO_ROOM) {
      const error = yield flush();
      if (error < 0) return error;
      first = yield* this.#locked(() => this.#copyL1(clusters));
    }
    if (first < 0) return first;
    const { tables } = state;
    // The new table and its refcounts come before what refers to it.
    let error = yield flush();
    if (error < 0) return error;
    const fields = new DataView(new ArrayBuffer(12));
    fields.setUint32(0, entries);
    fields.setBigUint64(4, BigInt(first) * BigInt(clusterSize));
    const bytes = new Uint8Array(fields.buffer);
    error = yield* tableFile.write(L1_FIELDS, bytes);
    if (error >= 0) error = yield tableFile.file.flush();
    if (error < 0) return error;
    const before = state.get("L1_AT");
    disk.grow(entries);
    refcounts.tables.add(first, clusters);
    state.set("L1_AT", first);
    state.set("L1_ENTRIES", entries);
    const old = Math.ceil(beforeEntries * 8 / clusterSize);
    yield tables.lock();
    if (old > 0) refcounts.release(before, old);
    tables.unlock();
    return 0;
  }

  /** Writes the L1 table to new clusters; returns the first one. */
  *#copyL1(clusters: number): Steps {
    const { state, disk, refcounts, tableFile, geometry } = this.#image;
    const first = yield* refcounts.allocateRun(clusters);
    if (first < 0) return first;
    const words = new Int32Array(clusters * geometry.clusterSize / 4);
    for (let table = 0; table < state.get("L1_ENTRIES"); table++) {
      words.set(disk.entryOf(table), 2 * table);
    }
    const at = first * geometry.clusterSize;
    const error = yield* tableFile.writeWords(at, words);
    return error < 0 ? error : first;
  }

  *#locked(work: () => Steps): Steps {
    const { tables } = this.#image.state;
    yield tables.lock();
    try {
      return yield* work();
    } finally {
      tables.unlock();
    }
  }
}
