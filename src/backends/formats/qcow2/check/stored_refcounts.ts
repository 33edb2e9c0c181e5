import { ERRNO } from "../../../../base/errno.ts";
import {
  readRefcount,
  refcountPlace,
  withRefcount,
} from "../writing/refcount_words.ts";
import { bytesOf, writeFully } from "../write_fully.ts";
import type { CheckReport } from "./check_report.ts";
import type { CheckedImage } from "./checked_image.ts";
import type { ReferenceCounter } from "./reference_counter.ts";

/** Bits of an entry of the refcount table that are its offset. */
const OFFSET_LOW = 0xffff_fe00;

/** Offsets from which on QEMU reads nothing, not even zeroes. */
const PLACES_MAX = 2 ** 63 - 2 ** 30;

/** The refcounts that an image has stored. */
export class StoredRefcounts {
  /** The offset of each block; 0 without one. */
  readonly blocks: number[] = [];
  /** Blocks that are somewhere, but cannot be read. */
  readonly #lost = new Set<number>();
  readonly #image: CheckedImage;
  readonly #report: CheckReport;
  /** The block that was used last. */
  #block = -1;
  #words: Int32Array | null = null;

  private constructor(image: CheckedImage, report: CheckReport) {
    this.#image = image;
    this.#report = report;
  }

  /** Reads the refcount table of an image, and counts the references to it. */
  static async read(counter: ReferenceCounter): Promise<StoredRefcounts> {
    const { image, report } = counter;
    const stored = new StoredRefcounts(image, report);
    const { header, clusterSize } = image;
    const { refcountTableOffset: at, refcountTableClusters } = header;
    const length = refcountTableClusters * clusterSize;
    counter.refer(at, length, "the refcount table");
    const words = await image.readWords(at, length);
    if (words === null) report.unreadable++;
    for (let word = 0; words !== null && word < words.length; word += 2) {
      stored.#addBlock(words[word]!, words[word + 1]!, counter);
    }
    return stored;
  }

  #addBlock(high: number, low: number, counter: ReferenceCounter): void {
    const { image: { clusterSize, clusters }, report, counts } = counter;
    const index = this.blocks.length;
    const offset = (high >>> 0) * 2 ** 32 + ((low & OFFSET_LOW) >>> 0);
    const what = `refcount block ${index}`;
    const damaged = (why: string, at: number) => {
      report.corrupt("REFCOUNT_BLOCKS", `${what} ${why}`);
      report.needsRebuild = true;
      this.blocks.push(at);
    };
    const isPlace = offset % clusterSize === 0 && offset < PLACES_MAX;
    if (!isPlace) this.#lost.add(index);
    if ((low & ~OFFSET_LOW) !== 0) {
      return damaged("has reserved bits set", isPlace ? offset : 0);
    }
    if (offset % clusterSize !== 0) return damaged("is not aligned", 0);
    if (offset === 0) return void this.blocks.push(0);
    if (offset / clusterSize >= Math.max(clusters, counts.end)) {
      return damaged("is beyond the end of the file", 0);
    }
    counter.refer(offset, clusterSize, what);
    this.blocks.push(offset);
    const cluster = offset / clusterSize;
    if (counts.all(cluster) === 1) return;
    report.needsRebuild = true;
    // Else a refcount cannot hold it, which was noted as that.
    if (counts.get(cluster) !== 1) {
      report.corrupt("REFCOUNT_BLOCKS", `${what} is used elsewhere too`);
    }
  }

  /** Reads a block for {@linkcode at}; whether that is possible. */
  async load(block: number): Promise<boolean> {
    if (this.#block === block) return this.#words !== null;
    const { clusterSize } = this.#image;
    const offset = this.blocks[block] ?? 0;
    this.#block = block;
    this.#words = offset === 0
      ? new Int32Array(clusterSize / 4)
      : await this.#image.readWords(offset, clusterSize);
    if (this.#words === null) this.#report.unreadable++;
    return this.#words !== null;
  }

  /** The refcount of a cluster of the block that was loaded. */
  at(cluster: number): number {
    const { perBlock, header: { refcountOrder } } = this.#image;
    return readRefcount(this.#words!, 0, refcountOrder, cluster % perBlock);
  }

  /** The refcount of a cluster; `null` if its block cannot be read. */
  async get(cluster: number): Promise<number | null> {
    const block = Math.floor(cluster / this.#image.perBlock);
    if (this.#lost.has(block)) return null;
    return await this.load(block) ? this.at(cluster) : null;
  }

  /**
   * Sets refcounts of one block.
   *
   * @param wanted The refcount that a cluster is to have, by the one it has.
   * @returns 0 or a negated errno.
   */
  async change(
    block: number,
    wanted: (cluster: number, refcount: number) => number,
  ): Promise<number> {
    const { file, perBlock, header } = this.#image;
    const { refcountOrder: order } = header;
    if (!await this.load(block)) return -ERRNO.EIO;
    const words = this.#words!;
    let isChanged = false;
    for (let index = 0; index < perBlock; index++) {
      const refcount = readRefcount(words, 0, order, index);
      const next = wanted(block * perBlock + index, refcount);
      if (next === refcount) continue;
      const { word } = refcountPlace(order, index);
      words.set(withRefcount(words, 0, order, index, next), word);
      isChanged = true;
    }
    if (!isChanged) return 0;
    const bytes = bytesOf(words);
    return await writeFully(file, this.blocks[block]!, bytes);
  }
}
