import { UserError } from "../../../../base/user_error.ts";
import { errnoName } from "../../../../base/errno.ts";
import type { CheckedImage } from "../check/checked_image.ts";
import type { ClusterCounts } from "../check/cluster_counts.ts";
import { refcountBlock } from "../check/rebuild_refcounts.ts";
import { LIMIT } from "../constants.ts";
import { bytesOf, writeFully } from "../write_fully.ts";

/** Where the header's fields start that one write changes, and their bytes. */
const FIELDS_AT = 24;
const FIELDS_BYTES = 48;

/** What the header refers to. Offsets in bytes. */
export interface HeaderFields {
  /** The size of the disk. */
  readonly size: number;
  readonly l1Offset: number;
  readonly l1Entries: number;
  readonly snapshotsOffset: number;
  readonly snapshots: number;
}

/** How the image is used while its snapshots are changed. */
export interface ImageInUse {
  /** Told before the header is changed: an error that follows leaves it open. */
  committing(): void;
}

/** Clusters of the file that follow each other. */
export interface ClusterRange {
  readonly first: number;
  readonly count: number;
}

/**
 * New tables of an image, beside those that it has.
 *
 * All of them are written to clusters that nothing refers to. Then one write to
 * the header, within its first sector, makes the image refer to them: L1 table,
 * table of snapshots, and refcounts together. So at no moment do refcounts, COPIED
 * flags and references disagree, and a crash leaves the one state or the other.
 */
export class NewMetadata {
  readonly #image: CheckedImage;
  readonly #before: ClusterCounts;
  readonly #action: string;
  readonly #use: ImageInUse | null;
  /** No cluster below it is free. */
  #from = 1;

  /**
   * Starts with the tables that the image has.
   *
   * @param before The references of the image as it is, also those to its
   * refcounts: their clusters are not written to.
   * @param counts The references of the image as it will be, without those to
   * its refcounts.
   * @param action What is being done, for errors: follows "Cannot".
   * @param use How the image is used meanwhile; `null` if it is not.
   */
  constructor(
    image: CheckedImage,
    before: ClusterCounts,
    readonly counts: ClusterCounts,
    action: string,
    use: ImageInUse | null = null,
  ) {
    this.#image = image;
    this.#before = before;
    this.#action = action;
    this.#use = use;
  }

  /**
   * Takes free clusters that follow each other, used once each.
   *
   * @returns The first one.
   */
  take(count: number): number {
    while (!this.#isFree(this.#from)) this.#from++;
    let first = this.#from;
    for (let found = 1; found < count;) {
      if (this.#isFree(first + found)) found++;
      else {
        first += found + 1;
        found = 0;
      }
    }
    if (first === this.#from) this.#from = first + count;
    for (let i = 0; i < count; i++) this.counts.add(first + i, 1);
    return first;
  }

  /**
   * Writes words to clusters of their own.
   *
   * @returns Where they are, in bytes.
   * @throws {UserError} If they cannot be written.
   */
  async writeWords(words: Int32Array): Promise<number> {
    return await this.write(bytesOf(words));
  }

  /** The same with bytes. */
  async write(bytes: Uint8Array<ArrayBuffer>): Promise<number> {
    const { clusterSize } = this.#image;
    const count = Math.max(1, Math.ceil(bytes.length / clusterSize));
    const whole = new Uint8Array(count * clusterSize);
    whole.set(bytes);
    const at = this.take(count) * clusterSize;
    this.#must(await writeFully(this.#image.file, at, whole));
    return at;
  }

  /**
   * Makes the image refer to the new tables, durably.
   *
   * @returns Clusters that nothing refers to any more. They are free, and so is
   * their space; but those of an image in use are given back by its owner, once
   * no request reads from them.
   * @throws {UserError} If that fails; it is as before then, unless its storage
   * has failed.
   */
  async commit(fields: HeaderFields): Promise<readonly ClusterRange[]> {
    const { file } = this.#image;
    const dropped = this.#dropped();
    const isUsed = this.#use !== null;
    for (const { first, count } of isUsed ? dropped : []) {
      for (let i = 0; i < count; i++) this.counts.add(first + i, 1);
    }
    const { tableAt, tableClusters } = await this.#writeRefcounts();
    this.#must(await file.flush());
    const view = new DataView(new ArrayBuffer(FIELDS_BYTES));
    const wide = (at: number, value: number) =>
      view.setBigUint64(at - FIELDS_AT, BigInt(value));
    wide(24, fields.size);
    view.setUint32(36 - FIELDS_AT, fields.l1Entries);
    wide(40, fields.l1Offset);
    wide(48, tableAt);
    view.setUint32(56 - FIELDS_AT, tableClusters);
    view.setUint32(60 - FIELDS_AT, fields.snapshots);
    wide(64, fields.snapshotsOffset);
    const bytes = new Uint8Array(view.buffer);
    this.#use?.committing();
    this.#must(await writeFully(file, FIELDS_AT, bytes));
    this.#must(await file.flush());
    if (isUsed) return dropped;
    await this.#punch(dropped);
    return [];
  }

  /** Writes blocks and a table of the refcounts, also for their own clusters. */
  async #writeRefcounts(): Promise<
    { readonly tableAt: number; readonly tableClusters: number }
  > {
    const { file, clusterSize, perBlock, header } = this.#image;
    const blocks = new Map<number, number>();
    let first = 0;
    let tableClusters = 0;
    // Threads that have the old table in memory have room for as many entries.
    const least = this.#use === null ? 0 : header.refcountTableClusters;
    // Each round counts what the round before has taken.
    for (let isDone = false; !isDone;) {
      isDone = true;
      for (const block of this.counts.blocks(perBlock)) {
        if (blocks.has(block)) continue;
        blocks.set(block, this.take(1));
        isDone = false;
      }
      const needed = Math.max(
        least,
        Math.ceil((Math.max(...blocks.keys()) + 1) * 8 / clusterSize),
      );
      if (needed <= tableClusters) continue;
      for (let i = 0; i < tableClusters; i++) this.counts.add(first + i, -1);
      first = this.take(tableClusters = needed);
      isDone = false;
    }
    if (tableClusters * clusterSize > LIMIT.REFCOUNT_TABLE_BYTES) {
      throw this.failure("its refcount table would be too large");
    }
    const table = new DataView(new ArrayBuffer(tableClusters * clusterSize));
    for (const [block, cluster] of blocks) {
      const at = cluster * clusterSize;
      table.setBigUint64(8 * block, BigInt(at));
      const bytes = bytesOf(refcountBlock(this.#image, this.counts, block));
      this.#must(await writeFully(file, at, bytes));
    }
    const tableAt = first * clusterSize;
    const bytes = new Uint8Array(table.buffer);
    this.#must(await writeFully(file, tableAt, bytes));
    return { tableAt, tableClusters };
  }

  /** The error of what cannot be done. */
  failure(why: string): UserError {
    return new UserError(`Cannot ${this.#action}: ${why}`);
  }

  #must(result: number): void {
    if (result >= 0) return;
    throw this.failure(
      `its file cannot be written (${
        errnoName(-result)
      }); check its storage and the space on it`,
    );
  }

  #isFree(cluster: number): boolean {
    return this.#before.get(cluster) === 0 && this.counts.get(cluster) === 0;
  }

  /** Clusters that nothing refers to any more. */
  #dropped(): ClusterRange[] {
    const { clusters } = this.#image;
    const ranges: ClusterRange[] = [];
    for (let at = 1; at < clusters;) {
      let end = at;
      while (end < clusters && this.#isDropped(end)) end++;
      if (end > at) ranges.push({ first: at, count: end - at });
      at = end + 1;
    }
    return ranges;
  }

  /** Gives the space of clusters back. */
  async #punch(ranges: readonly ClusterRange[]): Promise<void> {
    const { file, clusterSize } = this.#image;
    for (const { first, count } of ranges) {
      // Space that cannot be freed stays.
      await file.zero(first * clusterSize, count * clusterSize, {
        unmap: true,
      });
    }
  }

  #isDropped(cluster: number): boolean {
    return this.#before.get(cluster) > 0 && this.counts.get(cluster) === 0;
  }
}
