/** Clusters that are kept, as long as they take no more than this. */
const BYTES_MAX = 4 << 20;
/** Fewer if they are larger, but so many: a read may touch two. */
const CLUSTERS_MIN = 2;
const CLUSTERS_MAX = 32;

/**
 * The clusters that one thread has decompressed last. The key is where a stream
 * starts in the file.
 */
export class ClusterCache {
  readonly #max: number;
  /** In the order of their last use. */
  readonly #clusters = new Map<number, Uint8Array>();

  /** Makes a cache for clusters of a size. */
  constructor(clusterSize: number) {
    const fits = Math.floor(BYTES_MAX / clusterSize);
    this.#max = Math.min(CLUSTERS_MAX, Math.max(CLUSTERS_MIN, fits));
  }

  /** The cluster whose stream starts at `host`; `null` if it is not kept. */
  get(host: number): Uint8Array | null {
    const cluster = this.#clusters.get(host);
    if (cluster === undefined) return null;
    this.#clusters.delete(host);
    this.#clusters.set(host, cluster);
    return cluster;
  }

  /** Keeps a cluster, in place of the one that was not used for longest. */
  add(host: number, cluster: Uint8Array): void {
    this.#clusters.delete(host);
    for (const oldest of this.#clusters.keys()) {
      if (this.#clusters.size < this.#max) break;
      this.#clusters.delete(oldest);
    }
    this.#clusters.set(host, cluster);
  }

  /** Forgets all: streams may have been overwritten. */
  clear(): void {
    this.#clusters.clear();
  }
}
