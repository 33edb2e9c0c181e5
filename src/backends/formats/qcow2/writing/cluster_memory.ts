/** Bytes that are kept for later at most. */
const KEPT_MAX = 4 << 20;

/**
 * Memory for clusters that are copied, used again: to allocate and collect it for
 * each write took a third of a server's time.
 */
export class ClusterMemory {
  readonly #clusterSize: number;
  readonly #idle: Uint8Array<ArrayBuffer>[] = [];

  /** Prepares for clusters of a size. */
  constructor(clusterSize: number) {
    this.#clusterSize = clusterSize;
  }

  /** Memory for one cluster, with anything in it. */
  take(): Uint8Array<ArrayBuffer> {
    return this.#idle.pop() ?? new Uint8Array(this.#clusterSize);
  }

  /** Ends the use of memory. */
  giveBack(memory: Uint8Array<ArrayBuffer>): void {
    const kept = this.#idle.length * this.#clusterSize;
    if (kept < KEPT_MAX) this.#idle.push(memory);
  }
}
