import { geometryOf } from "../geometry.ts";
import { readHeader } from "../read_header.ts";
import { readL1 } from "../read_l1.ts";
import { rangesOf } from "./find_tables.ts";
import { readFlags, readRefcountTable } from "./read_tables.ts";
import type { WritableParts } from "./writable_parts.ts";

/**
 * Takes over tables that were put in the place of those in memory, for all
 * threads. The caller has both locks, no table in memory differs from the file,
 * and no change of the disk is under way.
 *
 * @param name The image's name in errors.
 * @throws {UserError} If they cannot be read; then memory is as before.
 */
export async function reloadTables(
  { state, disk, refcounts, tables, tableFile }: WritableParts,
  name: string,
): Promise<void> {
  const { file } = tableFile;
  const header = await readHeader(file, name);
  const geometry = geometryOf(header);
  const { clusterSize } = geometry;
  const { l1Offset, l1Entries } = header;
  const stored = { name, file: { backend: file }, header, geometry };
  const l1 = new Uint32Array(
    await readL1(file, l1Offset, l1Entries, geometry, name),
  );
  const flags = new Uint8Array(await readFlags(stored));
  const blocks = new Uint32Array(await readRefcountTable(stored));
  const ranges = await rangesOf(stored);
  const { table } = refcounts;
  if (blocks.length > table.length) table.buffer.grow(blocks.byteLength);
  blocks.forEach((cluster, block) => Atomics.store(table, block, cluster));
  refcounts.cache.forgetAll();
  disk.replace(l1, flags);
  state.set("L1_AT", l1Offset / clusterSize);
  state.set("TABLE_AT", header.refcountTableOffset / clusterSize);
  state.set("TABLE_CLUSTERS", header.refcountTableClusters);
  state.set("SNAPSHOTS", header.snapshots);
  // The old ones are removed when their clusters are given back.
  for (const [first, count] of ranges) tables.add(first, count);
  for (const cluster of [...blocks, ...l1]) {
    if (cluster !== 0) tables.add(cluster);
  }
}
