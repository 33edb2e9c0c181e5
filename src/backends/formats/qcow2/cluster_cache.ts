import { decompress } from "../../compression/decompress.ts";
import type { StreamKind } from "../../compression/zlib_handle.ts";
import type { Mapping } from "../../mapped/mapping.ts";
import type { DecompressedBlocks } from "../../mapped/read_sources.ts";

/** Clusters that are kept, as long as they take no more than this. */
const BYTES_MAX = 4 << 20;
/** Fewer if they are larger, but so many: a read may touch two. */
const CLUSTERS_MIN = 2;
const CLUSTERS_MAX = 32;

/**
 * The clusters that one thread has decompressed last. The key is where a stream
 * starts in the file.
 */
export class ClusterCache implements DecompressedBlocks {
  readonly #compression: StreamKind;
  readonly #clusterSize: number;
  readonly #max: number;
  /** In the order of their last use. */
  readonly #clusters = new Map<number, Uint8Array<ArrayBuffer>>();

  /** Makes a cache for the clusters of an image. */
  constructor(compression: StreamKind, clusterSize: number) {
    this.#compression = compression;
    this.#clusterSize = clusterSize;
    const fits = Math.floor(BYTES_MAX / clusterSize);
    this.#max = Math.min(CLUSTERS_MAX, Math.max(CLUSTERS_MIN, fits));
  }

  copy(
    { host, inBlock, length }: Mapping,
    buffer: Uint8Array,
    start: number,
  ): boolean {
    const cluster = this.#clusters.get(host);
    if (cluster === undefined) return false;
    this.#clusters.delete(host);
    this.#clusters.set(host, cluster);
    buffer.set(cluster.subarray(inBlock, inBlock + length), start);
    return true;
  }

  /** Keeps it in place of the one that was not used for longest. */
  add({ host }: Mapping, stream: Uint8Array): boolean {
    const cluster = this.#room(host);
    const got = decompress(this.#compression, stream, cluster);
    if (got !== this.#clusterSize) return false;
    this.#clusters.set(host, cluster);
    return true;
  }

  /** Memory for a cluster, which is no longer kept for another one. */
  #room(host: number): Uint8Array<ArrayBuffer> {
    const clusters = this.#clusters;
    const isFull = clusters.size >= this.#max;
    const replaced = clusters.has(host)
      ? host
      : isFull
      ? clusters.keys().next().value
      : undefined;
    if (replaced === undefined) return new Uint8Array(this.#clusterSize + 1);
    const memory = clusters.get(replaced)!;
    clusters.delete(replaced);
    return memory;
  }
}
