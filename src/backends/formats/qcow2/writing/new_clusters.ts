import type { Geometry } from "../geometry.ts";
import { subclusterMask } from "./entry.ts";

/** Clusters that are being written, before their entries are set. */
export interface NewClusters {
  readonly slice: number;
  /** The first entry of the slice, and how many. */
  readonly entry: number;
  readonly count: number;
  /** Where the first cluster is on the disk, and in the file. */
  readonly guest: number;
  readonly host: number;
  /** Whether the file's cluster was this disk's own already. */
  readonly isOwn: boolean;
  /** Whether what is not written now is zeroes in the file already. */
  readonly areUnused: boolean;
  readonly claim: number;
  /** Where the data end on the disk. */
  readonly end: number;
  /** What is written: the data, and around them what was there before. */
  readonly from: number;
  readonly to: number;
}

/** The bits of the subclusters that new clusters have written. */
export function writtenSubclusters(
  { from, to }: NewClusters,
  guest: number,
  { subclusterSize, clusterSize }: Geometry,
): number {
  const first = Math.max(from, guest) - guest;
  const end = Math.min(to, guest + clusterSize) - guest;
  return subclusterMask(first / subclusterSize, end / subclusterSize);
}
