import { ERRNO } from "../../../../base/errno.ts";
import { SUBCLUSTERS } from "../constants.ts";
import type { Geometry } from "../geometry.ts";
import { MAPPED, Mapping } from "../../../mapped/mapping.ts";
import { mapSteps } from "./map_steps.ts";
import { NO_CLAIM } from "./claims.ts";
import { CLUSTER, Entry } from "./entry.ts";
import { badRefcounts } from "./mark_corrupt.ts";
import { BAD_REFCOUNTS } from "./refcounts.ts";
import { type Steps, stepsOf } from "./steps.ts";
import { NO_ROOM } from "./table_file.ts";
import type { WritableParts } from "./writable_parts.ts";
import { linkClusters, undoClusters } from "./link_clusters.ts";
import { NewClusterData } from "./new_cluster_data.ts";
import type { NewClusters } from "./new_clusters.ts";

/** The caller has to look again: another request was faster. */
const AGAIN = -300_000;

/** Writes that need new clusters, or touch more than one mapping. */
export class DiskWriter {
  readonly #image: WritableParts;
  readonly #geometry: Geometry;
  readonly #entry: Entry;
  readonly #data: NewClusterData;
  readonly #mapping = new Mapping();

  /** Prepares to write an image. */
  constructor(image: WritableParts) {
    this.#image = image;
    this.#geometry = image.geometry;
    this.#entry = new Entry(image);
    this.#data = new NewClusterData(image);
  }

  /** Writes a range; the parameters are those of `Backend.write()`. */
  *write(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): Steps {
    for (let done = 0; done < length;) {
      const at = position + done;
      let put = this.#hasNoPlace(at, length - done)
        ? AGAIN
        : yield* this.#inPlace(at, buffer, start + done, length - done);
      if (put === AGAIN) {
        put = yield* this.#allocating(at, buffer, start + done, length - done);
      }
      if (put === AGAIN) continue;
      if (put < 0) return done > 0 ? done : put;
      done += put;
    }
    return length;
  }

  /** Whether a range is known to begin where the disk has no data of its own. */
  #hasNoPlace(position: number, length: number): boolean {
    const mapping = this.#mapping;
    if (!this.#image.lookup.map(position, length, mapping)) return false;
    const { kind, isOwn } = mapping;
    return kind !== MAPPED.CORRUPT && (kind !== MAPPED.DATA || !isOwn);
  }

  /** Writes where there are clusters of the disk's own, else says so. */
  *#inPlace(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): Steps {
    const { state: { epochs }, data, tables } = this.#image;
    const counter = epochs.enter();
    try {
      const mapping = new Mapping();
      const error = yield* stepsOf(
        mapSteps(this.#image, position, length, mapping),
      );
      if (error < 0) return error;
      if (mapping.kind === MAPPED.CORRUPT) return this.#damaged(position);
      if (mapping.kind !== MAPPED.DATA || !mapping.isOwn) return AGAIN;
      const { host, length: part } = mapping;
      const { hasDataFile, clusterSize } = this.#geometry;
      if (!hasDataFile && tables.overlaps(host, part, clusterSize)) {
        return this.#damaged(position);
      }
      const put = yield data.write(host, buffer, start, mapping.length);
      return put === 0 ? -ERRNO.ENOSPC : put;
    } finally {
      epochs.leave(counter);
    }
  }

  /** Writes to new clusters, as many as one slice of a table maps. */
  *#allocating(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): Steps {
    const { state: { tables, claims }, flush } = this.#image;
    yield tables.lock();
    const plan: { clusters: NewClusters | null } = { clusters: null };
    let seen = 0;
    let result = 0;
    try {
      seen = claims.seen;
      result = yield* this.#plan(position, length, plan);
      if (result === BAD_REFCOUNTS) result = badRefcounts(this.#image);
    } finally {
      tables.unlock();
    }
    if (result === NO_ROOM) {
      const error = yield flush();
      return error < 0 ? error : AGAIN;
    }
    if (result < 0) return result;
    const { clusters } = plan;
    if (clusters === null) {
      // Another request is writing to the cluster, or has written to it.
      if (result === 1) yield claims.changed(seen);
      return AGAIN;
    }
    const put = clusters.end - position;
    let error;
    try {
      error = yield* this.#data.write(clusters, position, buffer, start, put);
    } catch (thrown) {
      yield* undoClusters(this.#image, clusters);
      throw thrown;
    }
    if (error < 0) {
      yield* undoClusters(this.#image, clusters);
      return error;
    }
    const linked = yield* linkClusters(this.#image, clusters);
    return linked < 0 ? linked : put;
  }

  /**
   * Allocates clusters for the start of a range and claims their entries.
   *
   * @param plan Takes them; `null` if there is nothing to do.
   * @returns 1 if another request has claimed them; or a negative number.
   */
  *#plan(
    position: number,
    length: number,
    plan: { clusters: NewClusters | null },
  ): Steps {
    const { state, disk, refcounts } = this.#image;
    const { sliceSpan, clusterSize, hasDataFile } = this.#geometry;
    if (state.refusesChanges) return -ERRNO.EIO;
    const slice = Math.floor(position / sliceSpan);
    const entry = Math.floor((position - slice * sliceSpan) / clusterSize);
    const guest = slice * sliceSpan + entry * clusterSize;
    const most = Math.ceil((position + length - guest) / clusterSize);
    const inSlice = Math.min(most, this.#geometry.sliceEntries - entry);
    const free = state.claims.freeFrom(slice, entry, inSlice);
    if (free === 0) return 1;
    const own = disk.own(slice, true, entry, free);
    const error = typeof own === "number" ? own : yield* own;
    if (error < 0) return error;
    const run = this.#runOf(entry, guest, free);
    const { kind, host } = this.#entry;
    if (kind === CLUSTER.CORRUPT) return this.#damaged(position);
    const isOwn = kind === CLUSTER.OWN;
    const limit = isOwn ? this.#ownEnd(position, guest) : Infinity;
    if (run === 0 || limit <= position) return 0;
    let first = host;
    let count = run;
    if (hasDataFile) first = guest;
    else if (!isOwn) {
      const cluster = yield* refcounts.allocate(run);
      if (cluster < 0) return cluster;
      first = cluster * clusterSize;
      count = refcounts.allocated;
    }
    const claim = state.claims.add(slice, entry, count);
    if (claim === NO_CLAIM) {
      if (!isOwn && !hasDataFile) {
        yield* refcounts.free(first / clusterSize, count);
      }
      return 1;
    }
    const last = Math.min(position + length, guest + count * clusterSize);
    const end = Math.min(last, limit);
    const areUnused = !isOwn && !hasDataFile && refcounts.areUnused;
    plan.clusters = {
      slice,
      entry,
      count,
      guest,
      host: first,
      isOwn,
      areUnused,
      claim,
      end,
      from: position - position % this.#unitAt(entry, guest),
      to: Math.min(
        this.#upTo(end, this.#unitAt(entry + count - 1, end - 1)),
        guest + count * clusterSize,
      ),
    };
    return 0;
  }

  #damaged(position: number): number {
    this.#image.damage.found(`its table at byte ${position} of the disk`);
    return -ERRNO.EIO;
  }

  /**
   * How many entries from one on need new clusters; 0 if the first has one that
   * is written in place. `#entry` is then the first one.
   */
  #runOf(entry: number, guest: number, most: number): number {
    const { clusterSize, entryWords } = this.#geometry;
    const isExtended = entryWords === 4;
    let run = 1;
    for (; run < most; run++) {
      this.#read(entry + run, guest + run * clusterSize);
      const { kind } = this.#entry;
      if (kind === CLUSTER.OWN || kind === CLUSTER.CORRUPT) break;
    }
    this.#read(entry, guest);
    const { kind, isZero } = this.#entry;
    if (kind !== CLUSTER.OWN) return run;
    return isZero || isExtended ? 1 : 0;
  }

  /**
   * Up to where `#entry`, a cluster of the disk's own, has no data. Those that it
   * has may be overwritten in place at the same time.
   */
  #ownEnd(position: number, guest: number): number {
    const { subclusterSize, entryWords } = this.#geometry;
    if (entryWords !== 4) return Infinity;
    const { allocated } = this.#entry;
    let subcluster = Math.floor((position - guest) / subclusterSize);
    if ((allocated >>> subcluster & 1) !== 0) return position;
    while (subcluster < SUBCLUSTERS && (allocated >>> subcluster & 1) === 0) {
      subcluster++;
    }
    return guest + subcluster * subclusterSize;
  }

  #read(entry: number, guest: number): void {
    const { entryWords, clusterSize } = this.#geometry;
    const { words } = this.#image.disk;
    this.#entry.read(words, entry * entryWords, guest - guest % clusterSize);
  }

  /** Bytes that a new cluster takes over from the old one in one piece. */
  #unitAt(entry: number, guest: number): number {
    const { clusterSize, subclusterSize } = this.#geometry;
    this.#read(entry, guest);
    const { kind } = this.#entry;
    const hasData = kind === CLUSTER.SHARED || kind === CLUSTER.COMPRESSED;
    return hasData ? clusterSize : subclusterSize;
  }

  #upTo(position: number, unit: number): number {
    return Math.ceil(position / unit) * unit;
  }
}
