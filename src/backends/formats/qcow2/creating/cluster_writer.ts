import type { Backend } from "../../../backend.ts";
import { mustWrite } from "../../../convert/must_write.ts";
import {
  type DiskRun,
  type PartWriter,
  WRITE_BUFFERS,
} from "../../../convert/part_writer.ts";
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
  readonly buffers: number;
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
    this.buffers = compress === null ? WRITE_BUFFERS : 1;
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

  put(
    buffer: Uint8Array<ArrayBuffer>,
    runs: readonly DiskRun[],
  ): Promise<void> {
    return this.#compress === null
      ? this.#putPlain(buffer, runs)
      : this.#putCompressed(this.#compress, buffer, runs);
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

  /** Writes all runs as one: the file has their clusters side by side. */
  async #putPlain(
    buffer: Uint8Array<ArrayBuffer>,
    runs: readonly DiskRun[],
  ): Promise<void> {
    const { unit } = this;
    const { start } = runs[0]!;
    const counts = runs.map(({ length }) => Math.ceil(length / unit));
    let end = start;
    for (const [i, run] of runs.entries()) {
      const bytes = counts[i]! * unit;
      if (run.start !== end) {
        buffer.copyWithin(end, run.start, run.start + bytes);
      }
      end += bytes;
    }
    const first = this.#take((end - start) / unit);
    await mustWrite(this.#file, first * unit, buffer, start, end - start);
    let host = first * unit;
    for (const [i, { position }] of runs.entries()) {
      this.#entries.push(position / unit, counts[i]!, host, 0);
      host += counts[i]! * unit;
    }
  }

  async #putCompressed(
    compress: CompressCluster,
    buffer: Uint8Array<ArrayBuffer>,
    runs: readonly DiskRun[],
  ): Promise<void> {
    const { unit } = this;
    for (const { position, start, length } of runs) {
      for (let at = 0; at < length; at += unit) {
        const from = start + at;
        const stream = compress(buffer.subarray(from, from + unit));
        if (stream === null) {
          const run = { position: position + at, start: from, length: unit };
          await this.#putPlain(buffer, [run]);
        } else {
          const host = await this.#streams.add(stream);
          this.#entries.push((position + at) / unit, 1, host, stream.length);
        }
      }
    }
  }
}
