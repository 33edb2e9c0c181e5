import type { Backend } from "../../../backend.ts";
import { cannotWrite, mustWrite } from "../../../convert/must_write.ts";
import { SECTOR } from "../constants.ts";
import {
  type ClusterWriting,
  type WrittenClusters,
  ZEROES,
} from "./cluster_writer.ts";
import { newHeader } from "./new_header.ts";
import {
  layOut,
  type NewImage,
  REFCOUNT_BYTES,
  refcountsOf,
} from "./new_layout.ts";
import { NewRefcounts } from "./new_refcounts.ts";

const COPIED = 0x8000_0000;
const COMPRESSED = 0x4000_0000;
const ZERO = 1;
const TWO_32 = 2 ** 32;

/**
 * A new image that several threads fill with clusters. Its tables are made in
 * the order of the disk, and written after the clusters. The header comes last:
 * a file that was not written completely is no image.
 */
export class FilledImage {
  /** How threads write clusters. */
  readonly writing: ClusterWriting;
  readonly #file: Backend;
  readonly #image: NewImage;
  readonly #next: Int32Array<SharedArrayBuffer>;
  readonly #refcounts: NewRefcounts;
  /** The place of each L2 table in the file; 0 for none. */
  readonly #l1: Float64Array;
  /** L2 tables that may still change. */
  readonly #tables = new Map<number, DataView<ArrayBuffer>>();

  /**
   * Prepares an image.
   *
   * @param file Its file, which is empty.
   * @param image What it is to be.
   * @param compress Whether its clusters are compressed.
   * @throws {UserError} If the format cannot describe such a disk.
   */
  constructor(file: Backend, image: NewImage, compress: boolean) {
    const { clusterSize, compression } = image;
    const { l1Entries } = layOut(image, file.name);
    const next = new SharedArrayBuffer(4);
    this.#next = new Int32Array(next);
    // The first cluster is for the header.
    this.#next[0] = 1;
    this.writing = {
      clusterSize,
      compression: compress ? compression : null,
      next,
    };
    this.#file = file;
    this.#image = image;
    this.#l1 = new Float64Array(l1Entries);
    this.#refcounts = new NewRefcounts(clusterSize / REFCOUNT_BYTES);
  }

  /** Bytes of the disk that an L2 table maps. */
  get #tableSpan(): number {
    return this.#image.clusterSize ** 2 / 8;
  }

  /** Notes what a thread has written. */
  take({ entries, streamClusters }: WrittenClusters): void {
    const { clusterSize } = this.#image;
    for (let i = 0; i < streamClusters.length; i += 2) {
      this.#refcounts.clear(streamClusters[i]!, streamClusters[i + 1]!);
    }
    for (let i = 0; i < entries.length; i += 4) {
      const [guest, count, host, stream] = entries.slice(i, i + 4) as [
        number,
        number,
        number,
        number,
      ];
      if (stream > 0) {
        this.#setStream(guest, host, stream);
        const first = Math.floor(host / clusterSize);
        const last = Math.floor((host + stream - 1) / clusterSize);
        for (let at = first; at <= last; at++) this.#refcounts.add(at);
        continue;
      }
      for (let j = 0; j < count; j++) {
        if (host === ZEROES) this.#set(guest + j, 0, ZERO);
        else {
          const at = host + j * clusterSize;
          this.#set(guest + j, Math.floor(at / TWO_32) | COPIED, at % TWO_32);
        }
      }
    }
  }

  /**
   * Writes the tables of everything before a position of the disk, which does
   * not change any more.
   *
   * @throws {UserError} If they cannot be written.
   */
  async settle(position: number): Promise<void> {
    for (const [table, view] of this.#tables) {
      if ((table + 1) * this.#tableSpan > position) continue;
      this.#tables.delete(table);
      const at = this.#take(1);
      this.#l1[table] = at;
      await this.#write(at, new Uint8Array(view.buffer));
    }
  }

  /**
   * Writes the rest, durably.
   *
   * @throws {UserError} If it cannot be written.
   */
  async finish(): Promise<void> {
    await this.settle(Infinity);
    const { clusterSize } = this.#image;
    const { name } = this.#file;
    const l1 = new DataView(new ArrayBuffer(this.#l1.length * 8));
    this.#l1.forEach((at, i) => putPlace(l1, 8 * i, at, COPIED));
    const l1At = this.#take(
      Math.max(1, Math.ceil(l1.byteLength / clusterSize)),
    );
    await this.#write(l1At, new Uint8Array(l1.buffer));
    const others = this.#next[0]! >>> 0;
    const { blockClusters, tableClusters } = refcountsOf(others, clusterSize);
    const blocksAt = this.#take(blockClusters);
    const tableAt = this.#take(tableClusters);
    const clusters = this.#next[0]! >>> 0;
    await this.#succeed(this.#file.truncate(clusters * clusterSize));
    const table = new DataView(new ArrayBuffer(tableClusters * clusterSize));
    for (let i = 0; i < blockClusters; i++) {
      const block = this.#refcounts.block(i, clusters);
      await this.#write(blocksAt + i, block);
      putPlace(table, 8 * i, blocksAt + i, 0);
    }
    await this.#write(tableAt, new Uint8Array(table.buffer));
    await this.#succeed(this.#file.flush());
    const layout = { l1Entries: this.#l1.length, l1At, tableAt, tableClusters };
    await this.#write(0, newHeader(this.#image, layout, name));
    await this.#succeed(this.#file.flush());

    function putPlace(
      view: DataView,
      at: number,
      cluster: number,
      flags: number,
    ) {
      if (cluster === 0) return;
      const offset = cluster * clusterSize;
      view.setUint32(at, (Math.floor(offset / TWO_32) | flags) >>> 0);
      view.setUint32(at + 4, offset % TWO_32);
    }
  }

  #take(count: number): number {
    return Atomics.add(this.#next, 0, count) >>> 0;
  }

  #set(guest: number, high: number, low: number): void {
    const { clusterSize } = this.#image;
    const perTable = clusterSize / 8;
    const table = Math.floor(guest / perTable);
    let view = this.#tables.get(table);
    if (view === undefined) {
      view = new DataView(new ArrayBuffer(clusterSize));
      this.#tables.set(table, view);
    }
    const at = guest % perTable * 8;
    view.setUint32(at, high >>> 0);
    view.setUint32(at + 4, low);
  }

  #setStream(guest: number, host: number, length: number): void {
    const shift = 62 - (Math.log2(this.#image.clusterSize) - 8) - 32;
    const sectors = Math.floor((host + length - 1) / SECTOR) -
      Math.floor(host / SECTOR);
    const high = Math.floor(host / TWO_32) | sectors << shift | COMPRESSED;
    this.#set(guest, high, host % TWO_32);
  }

  #write(cluster: number, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const at = cluster * this.#image.clusterSize;
    return mustWrite(this.#file, at, bytes, 0, bytes.length);
  }

  async #succeed(answer: number | PromiseLike<number>): Promise<void> {
    const result = await answer;
    if (result < 0) throw cannotWrite(this.#file.name, -result);
  }
}
