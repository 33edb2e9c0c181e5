/**
 * The end of a write to new clusters: their entries are set, or they are freed.
 *
 * @module
 */
import { ERRNO } from "../../../../base/errno.ts";
import { CLUSTER, Entry, ownEntry } from "./entry.ts";
import { type NewClusters, writtenSubclusters } from "./new_clusters.ts";
import { releaseEntry } from "./release_entry.ts";
import type { Steps } from "./steps.ts";
import { NO_ROOM } from "./table_file.ts";
import type { WritableParts } from "./writable_parts.ts";

/** Sets the entries of clusters that were written; 0 or a negated errno. */
export function* linkClusters(
  image: WritableParts,
  clusters: NewClusters,
): Steps {
  const { state: { tables, claims }, flush } = image;
  for (;;) {
    let result;
    yield tables.lock();
    try {
      result = yield* link(image, clusters);
      if (result !== NO_ROOM) claims.remove(clusters.claim);
    } finally {
      tables.unlock();
    }
    if (result !== NO_ROOM) return result;
    const error = yield flush();
    if (error < 0) {
      yield* undoClusters(image, clusters);
      return error;
    }
  }
}

/** Frees clusters that could not be written. */
export function* undoClusters(
  { state: { tables, claims }, refcounts, geometry }: WritableParts,
  { claim, isOwn, host, count }: NewClusters,
): Steps {
  yield tables.lock();
  try {
    const isPart = !isOwn && !geometry.hasDataFile;
    if (isPart) yield* refcounts.free(host / geometry.clusterSize, count);
    claims.remove(claim);
  } finally {
    tables.unlock();
  }
  return 0;
}

function* link(image: WritableParts, clusters: NewClusters): Steps {
  const { disk, geometry, state } = image;
  if (state.refusesChanges) return -ERRNO.EIO;
  const { slice, entry, count, host, guest } = clusters;
  const { entryWords, clusterSize } = geometry;
  const own = disk.own(slice, false, entry, count);
  let error = typeof own === "number" ? own : yield* own;
  if (error < 0) return error;
  const words: number[] = [];
  const old: Entry[] = [];
  for (let i = 0; i < count; i++) {
    const before = new Entry(image);
    const at = (entry + i) * entryWords;
    before.read(disk.words, at, guest + i * clusterSize);
    words.push(...ownEntry(host + i * clusterSize, false));
    if (entryWords === 4) {
      const start = guest + i * clusterSize;
      const written = writtenSubclusters(clusters, start, geometry);
      const keeps = before.kind === CLUSTER.OWN ? before.allocated : 0;
      words.push(before.zero & ~written, keeps | written);
    }
    old.push(before);
  }
  const change = disk.change(slice, entry * entryWords, words);
  error = typeof change === "number" ? change : yield* change;
  if (error < 0) return error;
  if (clusters.isOwn) return 0;
  for (const before of old) releaseEntry(image, before);
  return 0;
}
