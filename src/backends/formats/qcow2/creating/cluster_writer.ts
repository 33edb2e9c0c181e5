import type { Backend } from "../../../backend.ts";
import { mustWrite } from "../../../convert/must_write.ts";
import type { PartWriter } from "../../../convert/part_copier.ts";
import { type CompressCluster, loadCompression } from "../compress.ts";
import type { Compression } from "../header.ts";
import { StreamPlaces, type TakeClusters } from "./stream_places.ts";

/** How the clusters of a new image are written, for every thread. Plain data. */
export interface ClusterWriting {
  readonly clusterSize: number;
  /** How clusters are compressed; `null` if they are not. */
  readonly compression: Compression | null;
  /** The first cluster of the file that no thread has taken: one word. */
  readonly next: SharedArrayBuffer;
}

/**
 * Where clusters of the disk are, and what follows for refcounts. Plain data;
 * numbers in groups, so that a message of them is small.
 */
export interface WrittenClusters {
  /**
   * Groups of four: the first cluster of the disk, how many, where they are in
   * the file in bytes ({@linkcode ZEROES} for zeroes), and the bytes of the
   * stream if it is one compressed cluster, else 0.
   */
  readonly entries: readonly number[];
  /** Groups of two: clusters of the file that are for streams. */
  readonly streamClusters: readonly number[];
}

/** Stands for the place of clusters that read as zeroes. */
export const ZEROES = -1;

/** Writes the clusters of a new image, in one thread. */
export class ClusterWriter implements PartWriter<WrittenClusters> {
  readonly unit: number;
  readonly #file: Backend;
  readonly #take: TakeClusters;
  readonly #compress: CompressCluster | null;
  readonly #streams: StreamPlaces;
  #entries: number[] = [];

  private constructor(
    file: Backend,
    { clusterSize, next }: ClusterWriting,
    compress: CompressCluster | null,
  ) {
    const words = new Int32Array(next);
    this.unit = clusterSize;
    this.#file = file;
    this.#compress = compress;
    this.#take = (count) => Atomics.add(words, 0, count) >>> 0;
    this.#streams = new StreamPlaces(file, clusterSize, this.#take);
  }

  /**
   * Prepares to write.
   *
   * @param file The file of the image.
   * @param how How.
   * @throws {UserError} If the compression cannot be loaded.
   */
  static async open(
    file: Backend,
    how: ClusterWriting,
  ): Promise<ClusterWriter> {
    const { compression } = how;
    const compress = compression === null
      ? null
      : await loadCompression(compression);
    return new ClusterWriter(file, how, compress);
  }

  async put(
    position: number,
    buffer: Uint8Array<ArrayBuffer>,
    start: number,
    length: number,
  ): Promise<void> {
    const { unit } = this;
    const count = Math.ceil(length / unit);
    const guest = position / unit;
    if (this.#compress === null) {
      return await this.#putPlain(guest, count, buffer, start);
    }
    for (let i = 0; i < count; i++) {
      const from = start + i * unit;
      const stream = this.#compress(buffer.subarray(from, from + unit));
      if (stream === null) {
        await this.#putPlain(guest + i, 1, buffer, from);
      } else {
        const host = await this.#streams.add(stream);
        this.#entries.push(guest + i, 1, host, stream.length);
      }
    }
  }

  zero(position: number, length: number): void {
    const count = Math.ceil(length / this.unit);
    this.#entries.push(position / this.unit, count, ZEROES, 0);
  }

  async end(): Promise<WrittenClusters> {
    const entries = this.#entries;
    this.#entries = [];
    await this.#streams.write();
    return { entries, streamClusters: this.#streams.taken() };
  }

  async #putPlain(
    guest: number,
    count: number,
    buffer: Uint8Array<ArrayBuffer>,
    start: number,
  ): Promise<void> {
    const host = this.#take(count) * this.unit;
    await mustWrite(this.#file, host, buffer, start, count * this.unit);
    this.#entries.push(guest, count, host, 0);
  }
}
