import { UserError } from "../../../../base/user_error.ts";
import { formatSize } from "../../../size.ts";
import { LIMIT } from "../constants.ts";
import type { Compression } from "../header.ts";

/** Bits of a refcount in new images, as QEMU makes them. */
export const REFCOUNT_ORDER = 4;
/** Bytes of a refcount in new images. */
export const REFCOUNT_BYTES: number = 2 ** REFCOUNT_ORDER / 8;

/** What a new image is to be. Sizes in bytes. */
export interface NewImage {
  /** The size of the disk. */
  readonly size: number;
  /** A power of two, from 512 to 2 MiB. */
  readonly clusterSize: number;
  /** Whether L2 entries have a bitmap of subclusters. */
  readonly extendedL2: boolean;
  /** Whether every cluster of the disk has its place in the file already. */
  readonly preallocated: boolean;
  /** The image below; `null` for none. */
  readonly backing: RecordedBacking | null;
  /** The name of the file that will have the data; `null` for the image's own. */
  readonly dataFile: string | null;
  /** How clusters are compressed, if some are. */
  readonly compression: Compression;
}

/** The image below, as a header records it. */
export interface RecordedBacking {
  /** Its name: a path, seen from the directory of the new image. */
  readonly name: string;
  /** Its format: `raw` or `qcow2`. */
  readonly format: string;
}

/**
 * The parts of a new image, in the order in which they lie in its file, in
 * clusters: the header, the refcount table, the refcount blocks, the L1 table,
 * and, if it is preallocated, the L2 tables and the data.
 */
export interface NewLayout {
  readonly tableClusters: number;
  readonly blockClusters: number;
  readonly l1Clusters: number;
  /** Entries of the L1 table. */
  readonly l1Entries: number;
  /** L2 tables; 0 unless it is preallocated. */
  readonly l2Tables: number;
  /** Clusters of data in the file; 0 unless it is preallocated. */
  readonly dataClusters: number;
  /** Where each part starts. */
  readonly tableAt: number;
  readonly blocksAt: number;
  readonly l1At: number;
  readonly l2At: number;
  readonly dataAt: number;
  /** Clusters of the file. */
  readonly clusters: number;
}

/**
 * Lays a new image out.
 *
 * @param image What it is to be.
 * @param name Its name in errors.
 * @throws {UserError} If the format cannot describe such a disk.
 */
export function layOut(image: NewImage, name: string): NewLayout {
  const { size, clusterSize, extendedL2, preallocated, dataFile } = image;
  const perTable = clusterSize / (extendedL2 ? 16 : 8);
  const diskClusters = Math.ceil(size / clusterSize);
  const l1Entries = Math.ceil(diskClusters / perTable);
  if (l1Entries * 8 > LIMIT.L1_BYTES) {
    const most = formatSize(LIMIT.L1_BYTES / 8 * perTable * clusterSize);
    throw new UserError(
      `Cannot create ${name} of ${formatSize(size)}: clusters of ${
        formatSize(clusterSize)
      } allow ${most} at most; use a larger cluster size`,
    );
  }
  const l1Clusters = Math.max(1, Math.ceil(l1Entries * 8 / clusterSize));
  const l2Tables = preallocated ? l1Entries : 0;
  const dataClusters = preallocated && dataFile === null ? diskClusters : 0;
  const others = 1 + l1Clusters + l2Tables + dataClusters;
  const { blockClusters, tableClusters } = refcountsOf(others, clusterSize);
  const tableAt = 1;
  const blocksAt = tableAt + tableClusters;
  const l1At = blocksAt + blockClusters;
  const l2At = l1At + l1Clusters;
  const dataAt = l2At + l2Tables;
  return {
    tableClusters,
    blockClusters,
    l1Clusters,
    l1Entries,
    l2Tables,
    dataClusters,
    tableAt,
    blocksAt,
    l1At,
    l2At,
    dataAt,
    clusters: dataAt + dataClusters,
  };
}

/**
 * The clusters of refcounts that count all clusters, themselves too.
 *
 * @param others The other clusters.
 * @param clusterSize Bytes of a cluster.
 */
export function refcountsOf(
  others: number,
  clusterSize: number,
): Pick<NewLayout, "blockClusters" | "tableClusters"> {
  const perBlock = clusterSize / REFCOUNT_BYTES;
  let blockClusters = 1;
  let tableClusters = 1;
  // Each round counts what the round before has added.
  for (;;) {
    const all = others + blockClusters + tableClusters;
    const blocks = Math.ceil(all / perBlock);
    const tables = Math.ceil(blocks * 8 / clusterSize);
    if (blocks === blockClusters && tables === tableClusters) {
      return { blockClusters, tableClusters };
    }
    blockClusters = blocks;
    tableClusters = tables;
  }
}
