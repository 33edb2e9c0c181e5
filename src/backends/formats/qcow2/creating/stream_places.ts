import type { Backend } from "../../../backend.ts";
import { mustWrite } from "../../../convert/must_write.ts";

/** Takes clusters of the file; returns the first one. */
export type TakeClusters = (count: number) => number;

/** Bytes that are taken for streams at once, and written at once. */
const RUN = 1 << 20;
/** Streams of one cluster at most: its refcount has 16 bits. */
const STREAMS_MAX = 60_000;

/**
 * Puts the streams of compressed clusters one after another, in clusters that
 * one thread takes for them.
 */
export class StreamPlaces {
  readonly #file: Backend;
  readonly #clusterSize: number;
  readonly #take: TakeClusters;
  /** Where the next stream starts, and where the clusters for streams end. */
  #at = 0;
  #end = 0;
  /** Streams in the cluster in which the next one starts. */
  #inCluster = 0;
  /** Bytes that are not written yet, and where they belong. */
  readonly #pending: Uint8Array<ArrayBuffer>;
  #pendingAt = 0;
  #pendingLength = 0;
  #taken: number[] = [];

  /** Takes places in a file. */
  constructor(file: Backend, clusterSize: number, take: TakeClusters) {
    this.#file = file;
    this.#clusterSize = clusterSize;
    this.#take = take;
    this.#pending = new Uint8Array(Math.max(RUN, clusterSize));
  }

  /** Gives a stream its place; returns it. */
  async add(stream: Uint8Array): Promise<number> {
    const { length } = stream;
    if (this.#inCluster === STREAMS_MAX) this.#toNextCluster();
    if (this.#at + length > this.#end) this.#extend(length);
    const at = this.#at;
    const follows = at === this.#pendingAt + this.#pendingLength &&
      this.#pendingLength + length <= this.#pending.length;
    if (!follows) {
      await this.write();
      this.#pendingAt = at;
    }
    this.#pending.set(stream, this.#pendingLength);
    this.#pendingLength += length;
    this.#advance(at + length);
    return at;
  }

  /** Writes the streams that were added. */
  async write(): Promise<void> {
    const length = this.#pendingLength;
    this.#pendingLength = 0;
    if (length === 0) return;
    await mustWrite(this.#file, this.#pendingAt, this.#pending, 0, length);
    this.#pendingAt += length;
  }

  /** The clusters that were taken since the last call: first and count. */
  taken(): readonly number[] {
    const taken = this.#taken;
    this.#taken = [];
    return taken;
  }

  #advance(at: number): void {
    const clusterSize = this.#clusterSize;
    const isSame = Math.floor(at / clusterSize) ===
      Math.floor(this.#at / clusterSize);
    this.#inCluster = isSame ? this.#inCluster + 1 : 1;
    this.#at = at;
  }

  #toNextCluster(): void {
    const clusterSize = this.#clusterSize;
    this.#at = Math.ceil(this.#at / clusterSize) * clusterSize;
    this.#inCluster = 0;
  }

  /** Takes more clusters; those of before are used up if these follow them. */
  #extend(length: number): void {
    const clusterSize = this.#clusterSize;
    const count = Math.ceil(Math.max(RUN, length) / clusterSize);
    const first = this.#take(count);
    this.#taken.push(first, count);
    if (first * clusterSize !== this.#end) {
      this.#at = first * clusterSize;
      this.#inCluster = 0;
    }
    this.#end = (first + count) * clusterSize;
  }
}
