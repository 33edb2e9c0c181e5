import { AUTOCLEAR, EXTENSION } from "../constants.ts";
import { extensionOf } from "../header_extensions.ts";
import { BAD_TABLE, NO_TABLE } from "../../../mapped/l1_table.ts";
import { readSnapshotTable } from "../snapshot_table.ts";
import type { StoredTables } from "./read_tables.ts";
import type { WritableImage } from "./writable_image.ts";
import { TableClusters } from "./table_clusters.ts";

/**
 * Finds the clusters of an image's file that have its header and tables, as far as
 * QEMU protects them by default: not the L2 tables of snapshots.
 *
 * @param image The image.
 * @param blocks For each refcount block its cluster, 0 without one.
 * @param end The clusters of the file.
 * @returns The memory of `TableClusters`; `null` if tables overlap, or lie beyond
 * the end of the file.
 */
export async function findTables(
  image: WritableImage,
  blocks: Uint32Array<SharedArrayBuffer>,
  end: number,
): Promise<SharedArrayBuffer | null> {
  const l1 = new Uint32Array(image.l1);
  const ranges = await rangesOf(image);
  let count = 0;
  for (const [first, clusters] of ranges) {
    // Tables that do not overlap have no more clusters than the file.
    if (first + clusters > end || count > end) return null;
    count += clusters;
  }
  for (const cluster of blocks) if (cluster !== 0) count++;
  const memory = TableClusters.create(count + l1.length);
  const tables = new TableClusters(memory);
  let isSound = true;
  for (const [first, clusters] of ranges) {
    if (!tables.add(first, clusters)) isSound = false;
  }
  for (const cluster of blocks) {
    if (cluster !== 0 && !tables.add(cluster)) isSound = false;
  }
  const others = new TableClusters(memory.slice(0));
  for (const cluster of l1) {
    if (cluster === NO_TABLE || cluster === BAD_TABLE) continue;
    // Entries may share an L2 table.
    if (others.has(cluster)) isSound = false;
    tables.add(cluster);
  }
  return isSound ? memory : null;
}

/** Tables of which each lies in one piece: their first cluster and how many. */
export async function rangesOf(
  { file: { backend }, header, geometry, name }: StoredTables,
): Promise<[first: number, clusters: number][]> {
  const { clusterSize } = geometry;
  const ranges: [number, number][] = [[0, 1]];
  const add = (at: number, length: number) => {
    const first = Math.floor(at / clusterSize);
    const end = Math.ceil((at + length) / clusterSize);
    if (length > 0) ranges.push([first, end - first]);
  };
  add(header.l1Offset, header.l1Entries * 8);
  const { refcountTableOffset, refcountTableClusters } = header;
  add(refcountTableOffset, refcountTableClusters * clusterSize);
  if (header.snapshots > 0) {
    const table = await readSnapshotTable(backend, header, name);
    add(header.snapshotsOffset, table.size);
    for (const { l1Offset, l1Entries } of table.snapshots) {
      add(l1Offset, l1Entries * 8);
    }
  }
  const bitmaps = extensionOf(header.extensions, EXTENSION.BITMAPS);
  const areValid = (header.autoclear & AUTOCLEAR.BITMAPS) !== 0n;
  if (areValid && bitmaps !== null && bitmaps.length >= 24) {
    const view = new DataView(bitmaps.buffer, bitmaps.byteOffset);
    add(Number(view.getBigUint64(16)), Number(view.getBigUint64(8)));
  }
  return ranges;
}
