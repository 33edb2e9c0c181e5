import { ERRNO } from "../../../../base/errno.ts";
import { MAPPED, Mapping } from "../../../mapped/mapping.ts";
import {
  ALL_SUBCLUSTERS,
  CLUSTER,
  emptyEntry,
  Entry,
  ownEntry,
  subclusterMask,
} from "./entry.ts";
import { NO_SLICE } from "./disk_tables.ts";
import type { DiskWriter } from "./disk_writer.ts";
import { mapSteps } from "./map_steps.ts";
import { releaseEntry } from "./release_entry.ts";
import { badRefcounts } from "./mark_corrupt.ts";
import { BAD_REFCOUNTS } from "./refcounts.ts";
import { type Steps, stepsOf } from "./steps.ts";
import { NO_ROOM } from "./table_file.ts";
import type { WritableParts } from "./writable_parts.ts";

/** Bytes of zeroes that are written at once. */
const ZEROES = new Uint8Array(65_536);
/** Entries that are changed under one hold of the lock. */
const PART = 512;

/** Zeroes ranges of a disk: whole clusters by their entries. */
export class DiskZeroes {
  readonly #image: WritableParts;
  readonly #writer: DiskWriter;
  readonly #isRaw: boolean;

  /**
   * Prepares to zero ranges of an image.
   *
   * @param isRaw Whether the data file has to read as the disk by itself.
   */
  constructor(image: WritableParts, writer: DiskWriter, isRaw: boolean) {
    this.#image = image;
    this.#writer = writer;
    this.#isRaw = isRaw;
  }

  /** Zeroes a range; 0 or a negated errno. */
  *zero(position: number, length: number, unmap: boolean): Steps {
    const { geometry: { clusterSize, version }, backing } = this.#image;
    // An entry of version 2 cannot hide what is below.
    const isBelow = backing !== null && position < backing.size;
    if (version === 2 && isBelow && unmap) return -ERRNO.EOPNOTSUPP;
    const end = position + length;
    const size = this.#image.state.size;
    const first = Math.ceil(position / clusterSize) * clusterSize;
    // Nothing follows the end of the disk in its last cluster.
    const last = end === size
      ? Math.ceil(end / clusterSize) * clusterSize
      : Math.floor(end / clusterSize) * clusterSize;
    if (first >= last) return yield* this.#part(position, end);
    let error = yield* this.#part(position, first);
    if (error < 0) return error;
    error = yield* this.#clusters(first, last, unmap);
    if (error < 0) return error;
    return yield* this.#part(last, end);
  }

  /** Writes zeroes where it does not read as zeroes. */
  *#part(from: number, to: number): Steps {
    const { state: { epochs }, backing } = this.#image;
    const mapping = new Mapping();
    for (let at = from; at < to;) {
      const counter = epochs.enter();
      let error;
      try {
        error = yield* stepsOf(mapSteps(this.#image, at, to - at, mapping));
      } finally {
        epochs.leave(counter);
      }
      if (error < 0) return error;
      const { kind, length } = mapping;
      const isZero = kind === MAPPED.ZERO ||
        (kind === MAPPED.UNALLOCATED &&
          (backing === null || at >= backing.size));
      const isWritten = !isZero || this.#isRaw;
      const part = isWritten ? Math.min(length, ZEROES.length) : length;
      if (isWritten) {
        const put = yield* this.#writer.write(at, ZEROES, 0, part);
        if (put < 0) return put;
        at += put;
      } else {
        at += part;
      }
    }
    return 0;
  }

  /** Zeroes whole clusters. */
  *#clusters(from: number, to: number, unmap: boolean): Steps {
    const { geometry, backing, data } = this.#image;
    const { version, clusterSize, hasDataFile } = geometry;
    if (this.#isRaw) return yield* this.#rawClusters(from, to, unmap);
    for (let at = from; at < to;) {
      const isBelow = backing !== null && at < backing.size;
      if (version === 2 && isBelow) {
        const end = Math.min(at + clusterSize, this.#image.state.size);
        const error = yield* this.#part(at, end);
        if (error < 0) return error;
        at += clusterSize;
        continue;
      }
      const done = yield* this.#some(at, to, unmap, isBelow);
      if (done < 0) return done;
      if (hasDataFile && unmap) {
        const length = Math.min(done, this.#image.state.size - at);
        // Space that cannot be freed stays.
        if (length > 0) yield data.zero(at, length, { unmap });
      }
      at += done;
    }
    return 0;
  }

  /** Zeroes the raw data file itself; it then has the clusters. */
  *#rawClusters(from: number, to: number, unmap: boolean): Steps {
    const { data, state: { size } } = this.#image;
    const length = Math.min(to, size) - from;
    const error = yield data.zero(from, length, { unmap });
    if (error !== -ERRNO.EOPNOTSUPP) return error;
    return unmap ? error : yield* this.#part(from, from + length);
  }

  /** Zeroes clusters of one slice; returns their bytes, or a negated errno. */
  *#some(from: number, to: number, unmap: boolean, isBelow: boolean): Steps {
    const { state: { tables, claims, freed }, flush } = this.#image;
    for (;;) {
      yield tables.lock();
      let result;
      let seen;
      try {
        seen = claims.seen;
        result = yield* this.#change(from, to, unmap, isBelow);
        if (result === BAD_REFCOUNTS) result = badRefcounts(this.#image);
      } finally {
        tables.unlock();
      }
      if (result === NO_ROOM || freed.isCrowded) {
        const error = yield flush();
        if (error < 0) return error;
      }
      if (result === 0) yield claims.changed(seen);
      else if (result !== NO_ROOM) return result;
    }
  }

  /** The same under the lock; 0 if the first cluster is being written to. */
  *#change(from: number, to: number, unmap: boolean, isBelow: boolean): Steps {
    const { state, disk, geometry, backing } = this.#image;
    const { sliceSpan, clusterSize, sliceEntries } = geometry;
    if (state.refusesChanges) return -ERRNO.EIO;
    const slice = Math.floor(from / sliceSpan);
    const entry = (from - slice * sliceSpan) / clusterSize;
    let most = Math.min(sliceEntries - entry, (to - from) / clusterSize, PART);
    if (isBelow && backing!.size < to) {
      const below = Math.ceil((backing!.size - from) / clusterSize);
      most = Math.min(most, below);
    }
    const count = state.claims.freeFrom(slice, entry, most);
    if (count === 0) return 0;
    const error = yield* stepsOf(disk.own(slice, isBelow, entry, count));
    if (error === NO_SLICE) {
      // There is no table, so all of it reads as zeroes.
      return this.#withoutTable(slice, to) - from;
    }
    if (error < 0) return error;
    const changed = yield* this.#entries(slice, entry, count, unmap);
    return changed < 0 ? changed : count * clusterSize;
  }

  /** The end of what has no table like a slice, or of the range. */
  #withoutTable(slice: number, to: number): number {
    const { sliceSpan, tableSlices } = this.#image.geometry;
    const table = Math.floor(slice / tableSlices);
    return Math.min(to, (table + 1) * tableSlices * sliceSpan);
  }

  *#entries(
    slice: number,
    entry: number,
    count: number,
    unmap: boolean,
  ): Steps {
    const { disk, geometry, damage } = this.#image;
    const { entryWords, sliceSpan, clusterSize } = geometry;
    const words = new Int32Array(count * entryWords);
    const old: Entry[] = [];
    const start = entry * entryWords;
    for (let i = 0; i < count; i++) {
      const before = new Entry(this.#image);
      const guest = slice * sliceSpan + (entry + i) * clusterSize;
      before.read(disk.words, start + i * entryWords, guest);
      if (before.kind === CLUSTER.CORRUPT) {
        damage.found(`its table at byte ${guest} of the disk`);
        return -ERRNO.EIO;
      }
      const keeps = before.kind === CLUSTER.OWN && !unmap &&
        geometry.version === 3;
      words.set(this.#zeroEntry(before, keeps, guest), i * entryWords);
      if (!keeps) old.push(before);
    }
    const same = words.every((word, i) => word === disk.words[start + i]);
    if (same) return 0;
    const error = yield* stepsOf(disk.change(slice, entry * entryWords, words));
    if (error < 0) return error;
    for (const before of old) releaseEntry(this.#image, before);
    return 0;
  }

  /** The words of an entry that reads as zeroes. */
  #zeroEntry(before: Entry, keeps: boolean, guest: number): number[] {
    const { geometry: { entryWords, version }, backing } = this.#image;
    const isExtended = entryWords === 4;
    const isBelow = backing !== null && guest < backing.size;
    // A cluster that is not mentioned at all reads as what is below.
    const hasMark = version === 3 && (keeps || isBelow);
    const words = keeps
      ? ownEntry(before.host, !isExtended)
      : emptyEntry(hasMark && !isExtended);
    if (!isExtended) return words;
    const all = subclusterMask(0, 32) & ALL_SUBCLUSTERS;
    return [...words, hasMark ? all : 0, 0];
  }
}
