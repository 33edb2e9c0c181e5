import { ERRNO } from "../../../../base/errno.ts";
import { UserError } from "../../../../base/user_error.ts";
import { LIMIT } from "../constants.ts";
import { refcountPlace, withRefcount } from "../writing/refcount_words.ts";
import { CheckedImage } from "./checked_image.ts";
import type { ClusterCounts } from "./cluster_counts.ts";
import { countReferences } from "./count_references.ts";
import { ReferenceCounter } from "./reference_counter.ts";
import { bytesOf, writeFully } from "../write_fully.ts";

/** Position of `refcount_table_offset`, before `refcount_table_clusters`. */
const TABLE_FIELDS = 48;

/**
 * Gives an image new refcounts, at the end of its file: blocks and a table, to
 * which the header refers once they are durable.
 *
 * @param counter The references, without those to the old refcounts. New ones are
 * added.
 * @returns 0 or a negated errno.
 * @throws {UserError} If references lead to where they would be.
 */
export async function rebuildRefcounts(
  { image, counts }: ReferenceCounter,
): Promise<number> {
  const { file, clusterSize, perBlock } = image;
  const first = Math.max(image.clusters, counts.end);
  const { blocks, tableClusters } = layOut(
    counts.blocks(perBlock),
    first,
    image,
  );
  if (tableClusters * clusterSize > LIMIT.REFCOUNT_TABLE_BYTES) {
    return -ERRNO.EFBIG;
  }
  const used = blocks.length + tableClusters;
  await assertUnused(image, first, used);
  let error = await file.truncate((first + used) * clusterSize);
  if (error < 0) return error;
  for (let i = 0; i < used; i++) counts.add(first + i, 1);
  const table = new BigUint64Array(tableClusters * clusterSize / 8);
  for (const [i, block] of blocks.entries()) {
    const at = (first + i) * clusterSize;
    table[block] = BigInt(at);
    const words = refcountBlock(image, counts, block);
    error = await writeFully(file, at, bytesOf(words));
    if (error < 0) return error;
  }
  const tableAt = (first + blocks.length) * clusterSize;
  const view = new DataView(new ArrayBuffer(table.byteLength));
  table.forEach((entry, i) => view.setBigUint64(8 * i, entry));
  error = await writeFully(file, tableAt, new Uint8Array(view.buffer));
  if (error >= 0) error = await file.flush();
  if (error < 0) return error;
  const fields = new DataView(new ArrayBuffer(12));
  fields.setBigUint64(0, BigInt(tableAt));
  fields.setUint32(8, tableClusters);
  error = await writeFully(file, TABLE_FIELDS, new Uint8Array(fields.buffer));
  return error < 0 ? error : await file.flush();
}

/**
 * Asserts that nothing refers to clusters after the end of the file. It would be
 * damage that can be seen no longer: new refcounts read as data.
 */
async function assertUnused(
  { file, header, name, clusterSize }: CheckedImage,
  first: number,
  used: number,
): Promise<void> {
  const length = (first + used) * clusterSize;
  const longer = new CheckedImage(file, header, name, length);
  const counter = ReferenceCounter.create(longer);
  await countReferences(counter);
  const { counts } = counter;
  for (let cluster = first; cluster < first + used; cluster++) {
    if (counts.all(cluster) === 0) continue;
    const where = `byte ${cluster * clusterSize}, beyond the end of its file`;
    throw new UserError(
      `Cannot repair ${name}: it refers to ${where}, where its new refcounts would be; export it read-only and copy what can be read`,
    );
  }
}

/** Which blocks are needed, those for new clusters too, and how large a table. */
function layOut(
  needed: ReadonlySet<number>,
  first: number,
  { perBlock, clusterSize }: CheckedImage,
): { readonly blocks: readonly number[]; readonly tableClusters: number } {
  const blocks = new Set(needed);
  let tableClusters = 1;
  for (;;) {
    const end = first + blocks.size + tableClusters;
    const before = blocks.size;
    for (let at = first; at < end; at += perBlock) {
      blocks.add(Math.floor(at / perBlock));
    }
    blocks.add(Math.floor((end - 1) / perBlock));
    const entries = Math.max(...blocks) + 1;
    const clusters = Math.ceil(entries * 8 / clusterSize);
    if (blocks.size === before && clusters === tableClusters) {
      return { blocks: [...blocks].sort((a, b) => a - b), tableClusters };
    }
    tableClusters = Math.max(tableClusters, clusters);
  }
}

/** The words of a refcount block. */
export function refcountBlock(
  { perBlock, clusterSize, header: { refcountOrder: order } }: CheckedImage,
  counts: ClusterCounts,
  block: number,
): Int32Array {
  const words = new Int32Array(clusterSize / 4);
  for (let index = 0; index < perBlock; index++) {
    const count = counts.get(block * perBlock + index);
    if (count === 0) continue;
    const { word } = refcountPlace(order, index);
    words.set(withRefcount(words, 0, order, index, count), word);
  }
  return words;
}
