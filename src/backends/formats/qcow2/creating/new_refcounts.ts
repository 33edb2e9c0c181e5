/**
 * The refcounts of a new image: every cluster is used once, except for those
 * with streams, which are used by each of them.
 */
export class NewRefcounts {
  readonly #perBlock: number;
  /** Blocks in which some clusters have streams. */
  readonly #blocks = new Map<number, Uint16Array>();

  /**
   * Starts with 1 for each cluster.
   *
   * @param perBlock Clusters of a block.
   */
  constructor(perBlock: number) {
    this.#perBlock = perBlock;
  }

  /** Notes that clusters are for streams, and have none yet. */
  clear(first: number, count: number): void {
    for (let at = first; at < first + count; at++) {
      this.#counts(at)[at % this.#perBlock] = 0;
    }
  }

  /** Counts a stream in a cluster. */
  add(cluster: number): void {
    const counts = this.#counts(cluster);
    counts[cluster % this.#perBlock] = counts[cluster % this.#perBlock]! + 1;
  }

  /**
   * A block as the file has it, of 16 bits in big-endian order for each cluster.
   *
   * @param block Its number.
   * @param clusters The clusters of the file.
   */
  block(block: number, clusters: number): Uint8Array<ArrayBuffer> {
    const perBlock = this.#perBlock;
    const counts = this.#blocks.get(block);
    const view = new DataView(new ArrayBuffer(perBlock * 2));
    const there = Math.min(perBlock, clusters - block * perBlock);
    for (let i = 0; i < there; i++) {
      view.setUint16(2 * i, counts === undefined ? 1 : counts[i]!);
    }
    return new Uint8Array(view.buffer);
  }

  #counts(cluster: number): Uint16Array {
    const block = Math.floor(cluster / this.#perBlock);
    let counts = this.#blocks.get(block);
    if (counts === undefined) {
      counts = new Uint16Array(this.#perBlock).fill(1);
      this.#blocks.set(block, counts);
    }
    return counts;
  }
}
