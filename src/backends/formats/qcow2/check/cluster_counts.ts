import { UserError } from "../../../../base/user_error.ts";

/** Clusters whose counts are stored together. */
const PART = 256;
/** A gibibyte of counts: those of a file of 16 TiB in clusters of 64 KiB. */
const PARTS_MAX = 1 << 20;
const COUNT_MAX = 0xffff_ffff;

/**
 * How many references lead to each cluster of a file. Takes memory for clusters
 * that have some, and their neighbours: files may be sparse.
 */
export class ClusterCounts {
  readonly #parts = new Map<number, Uint32Array>();
  readonly #max: number;
  #end = 0;
  /** The part that was looked for last: neighbours are mostly together. */
  #index = -1;
  #part: Uint32Array | undefined = undefined;

  /**
   * Starts with no references.
   *
   * @param max The greatest refcount of the image.
   */
  constructor(max: number) {
    this.#max = Math.min(max, COUNT_MAX);
  }

  /** The cluster after the last one that was ever counted. */
  get end(): number {
    return this.#end;
  }

  /** The references to a cluster, as far as a refcount can hold them. */
  get(cluster: number): number {
    return Math.min(this.all(cluster), this.#max);
  }

  /** The references to a cluster, however many there are. */
  all(cluster: number): number {
    const part = this.#partOf(Math.floor(cluster / PART));
    return part === undefined ? 0 : part[cluster % PART]!;
  }

  /**
   * Adds references to a cluster; returns how many a refcount cannot hold.
   *
   * @throws {UserError} If there is no memory for more clusters.
   */
  add(cluster: number, references: number): number {
    const index = Math.floor(cluster / PART);
    let part = this.#partOf(index);
    if (part === undefined) {
      if (this.#parts.size === PARTS_MAX) {
        throw new UserError(
          "Cannot check the image: its clusters are too many; check it with 'qemu-img check'",
        );
      }
      part = new Uint32Array(PART);
      this.#parts.set(index, part);
      this.#part = part;
    }
    const before = part[cluster % PART]!;
    const all = Math.min(before + references, COUNT_MAX);
    part[cluster % PART] = all;
    this.#end = Math.max(this.#end, cluster + 1);
    return Math.max(0, all - Math.max(before, this.#max));
  }

  #partOf(index: number): Uint32Array | undefined {
    if (index === this.#index) return this.#part;
    this.#index = index;
    return this.#part = this.#parts.get(index);
  }

  /**
   * The blocks of clusters, each of a number of them, in which some have
   * references.
   */
  blocks(perBlock: number): Set<number> {
    const blocks = new Set<number>();
    for (const [index, part] of this.#parts) {
      part.forEach((count, i) => {
        if (count > 0) blocks.add(Math.floor((index * PART + i) / perBlock));
      });
    }
    return blocks;
  }
}
