import { CLUSTER, type Entry } from "./entry.ts";
import type { WritableParts } from "./writable_parts.ts";

/** Gives back what an entry referred to, after the entry was changed. */
export function releaseEntry(
  { refcounts, geometry }: WritableParts,
  entry: Entry,
): void {
  const { kind, host } = entry;
  if (kind === CLUSTER.COMPRESSED) {
    const { first, count } = entry.streamClusters;
    refcounts.release(first, count);
  } else if (kind === CLUSTER.OWN || kind === CLUSTER.SHARED) {
    if (geometry.hasDataFile) return;
    refcounts.release(host / geometry.clusterSize, 1);
  }
}
