import type { TableGeometry } from "../../mapped/table_lookup.ts";
import { SUBCLUSTERS } from "./constants.ts";
import type { Qcow2Header } from "./header.ts";
import { refusal } from "./refusal.ts";

/** The largest part of an L2 table that is cached as one. */
const SLICE_MAX = 1024;

/** Sizes that follow from a header. Plain data; bytes unless said otherwise. */
export interface Geometry extends TableGeometry {
  readonly version: 2 | 3;
  readonly clusterBits: number;
  readonly clusterSize: number;
  /** 32-bit words of an L2 entry: 2, or 4 with subclusters. */
  readonly entryWords: number;
  /** A part of a cluster that has a state of its own; a whole cluster. */
  readonly subclusterSize: number;
  /** Entries of a slice. */
  readonly sliceEntries: number;
  /** Whether the data are in a file of their own, at their own positions. */
  readonly hasDataFile: boolean;
}

/** The geometry of an image. */
export function geometryOf(header: Qcow2Header): Geometry {
  const { version, clusterBits, extendedL2, hasDataFile } = header;
  const clusterSize = 2 ** clusterBits;
  const entryWords = extendedL2 ? 4 : 2;
  const sliceSize = Math.min(clusterSize, SLICE_MAX);
  const sliceEntries = sliceSize / (entryWords * 4);
  return {
    version,
    clusterBits,
    clusterSize,
    entryWords,
    subclusterSize: extendedL2 ? clusterSize / SUBCLUSTERS : clusterSize,
    sliceSize,
    sliceEntries,
    sliceSpan: sliceEntries * clusterSize,
    tableSlices: clusterSize / sliceSize,
    tableUnit: clusterSize,
    hasDataFile,
  };
}

/**
 * The entries of an L1 table that map a disk.
 *
 * @param geometry The image's.
 * @param size The size of the disk.
 * @param entries The entries that the table has.
 * @param name The image's name in errors.
 * @throws {UserError} If the table has fewer.
 */
export function l1EntriesFor(
  { sliceSpan, tableSlices }: Geometry,
  size: number,
  entries: number,
  name: string,
): number {
  const needed = Math.ceil(size / (sliceSpan * tableSlices));
  if (needed <= entries) return needed;
  const why =
    `its L1 table has ${entries} entries, yet ${size} bytes need ${needed}`;
  throw refusal(name, why);
}
