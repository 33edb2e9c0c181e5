/**
 * New refcount blocks, and a larger table of them.
 *
 * @module
 */
import { ERRNO } from "../../../../base/errno.ts";
import { LIMIT } from "../constants.ts";
import { refcountPlace, withRefcount } from "./refcount_words.ts";
import { type Soon, type Steps, stepsOf } from "./steps.ts";
import type { TableClusters } from "./table_clusters.ts";
import type { TableFile } from "./table_file.ts";
import type { WriteState } from "./write_state.ts";

/** The refcounts of an image, as far as their table needs them. */
export interface TableOwner {
  readonly state: WriteState;
  readonly file: TableFile;
  readonly tables: TableClusters;
  /** The cluster of each block; 0 for none. */
  readonly table: Uint32Array<SharedArrayBuffer>;
  readonly clusterSize: number;
  /** Refcounts of a block. */
  readonly perBlock: number;
  /** Binary logarithm of the bits of a refcount. */
  readonly order: number;
  /** Makes the file at least so many clusters long. */
  extendFile(clusters: number): Soon;
  /** Marks clusters as used, in this thread's search for free ones. */
  use(first: number, count: number): void;
  /** Frees clusters that no table refers to any more. */
  release(first: number, count: number): void;
}

/** Position of `refcount_table_offset`, before `refcount_table_clusters`. */
const TABLE_FIELDS = 48;

/** A block in which only some clusters are used: once each. */
export function ownBlock(
  { clusterSize, perBlock, order }: TableOwner,
  block: number,
  first: number,
  count: number,
): Int32Array {
  const words = new Int32Array(clusterSize / 4);
  const start = block * perBlock;
  const to = Math.min(first + count - start, perBlock);
  for (let index = Math.max(0, first - start); index < to; index++) {
    const { word } = refcountPlace(order, index);
    words.set(withRefcount(words, 0, order, index, 1), word);
  }
  return words;
}

/**
 * Replaces the refcount table by a larger one. The new table, and the blocks for
 * its own clusters, lie after everything that the old one can describe.
 *
 * @param block The block for which there has to be an entry.
 * @returns 0 or a negated errno.
 */
export function* growTable(refcounts: TableOwner, block: number): Steps {
  const { state, file, table, clusterSize, perBlock } = refcounts;
  const old = table.length;
  const first = old * perBlock;
  const { blocks, clusters } = sizeOf(refcounts, block + 1);
  if (clusters * clusterSize > LIMIT.REFCOUNT_TABLE_BYTES) return -ERRNO.ENOSPC;
  const used = blocks + clusters;
  let error = yield* stepsOf(refcounts.extendFile(first + used));
  if (error < 0) return error;
  refcounts.use(first, used);
  for (let i = 0; i < blocks; i++) {
    const words = ownBlock(refcounts, old + i, first, used);
    error = yield* file.writeWords((first + i) * clusterSize, words);
    if (error < 0) return error;
  }
  const entries = new BigUint64Array(clusters * clusterSize / 8);
  for (let i = 0; i < old + blocks; i++) {
    const cluster = i < old ? Atomics.load(table, i) : first + i - old;
    entries[i] = BigInt(cluster) * BigInt(clusterSize);
  }
  const at = first + blocks;
  error = yield* file.write(at * clusterSize, bigEndian(entries));
  if (error < 0) return error;
  error = yield file.file.flush();
  if (error < 0) return error;
  const fields = new DataView(new ArrayBuffer(12));
  fields.setBigUint64(0, BigInt(at) * BigInt(clusterSize));
  fields.setUint32(8, clusters);
  error = yield* file.write(TABLE_FIELDS, new Uint8Array(fields.buffer));
  if (error < 0) return error;
  error = yield file.file.flush();
  if (error < 0) return error;
  const before = state.get("TABLE_AT");
  const beforeClusters = state.get("TABLE_CLUSTERS");
  table.buffer.grow(entries.length * 4);
  for (let i = 0; i < blocks; i++) Atomics.store(table, old + i, first + i);
  refcounts.tables.add(first, used);
  state.set("TABLE_AT", at);
  state.set("TABLE_CLUSTERS", clusters);
  state.set("TABLE_DIRTY_FROM", 0);
  state.set("TABLE_DIRTY_TO", 0);
  refcounts.release(before, beforeClusters);
  return 0;
}

/** How many blocks and clusters a larger table needs. */
function sizeOf(
  { table, clusterSize, perBlock }: TableOwner,
  least: number,
): { readonly blocks: number; readonly clusters: number } {
  const old = table.length;
  for (let blocks = 1;; blocks++) {
    const entries = Math.max(least, Math.ceil(old * 1.5), old + blocks);
    const clusters = Math.ceil(entries * 8 / clusterSize);
    if (blocks + clusters <= blocks * perBlock) return { blocks, clusters };
  }
}

function bigEndian(entries: BigUint64Array): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(entries.length * 8));
  entries.forEach((entry, i) => view.setBigUint64(8 * i, entry));
  return new Uint8Array(view.buffer);
}
