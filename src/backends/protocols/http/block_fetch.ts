import { BLOCK } from "../../block_cache/block_cache.ts";
import type { CachedRead } from "./cached_read.ts";
import { Fetch, type FetchOwner } from "./fetch.ts";

/** No slot of the cache: only those who wait get the bytes. */
export const NO_SLOT = -1;

/** A read that waits for a part of a fetch. */
export interface Waiting {
  readonly read: CachedRead;
  /** The part: positions in the object. */
  readonly from: number;
  readonly to: number;
}

/** A fetch of whole blocks, one after another. */
export class BlockFetch extends Fetch {
  readonly first: number;
  /** The slot of each block, or `NO_SLOT`. */
  readonly slots: readonly number[];
  #waiting: Waiting[] = [];

  /**
   * Makes a fetch.
   *
   * @param first The number of its first block.
   * @param slots The slots that were claimed for its blocks.
   * @param size The size of the object.
   */
  constructor(
    first: number,
    slots: readonly number[],
    size: number,
    isAhead: boolean,
    owner: FetchOwner,
  ) {
    const to = Math.min(size, (first + slots.length) * BLOCK);
    super(first * BLOCK, to, isAhead, owner);
    this.first = first;
    this.slots = slots;
  }

  /**
   * A read may have all that it needs before its last block is whole. The thread
   * may sleep from then on, and no timer wakes it for another try.
   */
  override get isAhead(): boolean {
    return super.isAhead || this.#waiting.length === 0;
  }

  /** Lets a read wait for what it needs of a block, from `from` to `to`. */
  add(read: CachedRead, from: number, to: number): void {
    read.awaits(to - from);
    this.#waiting.push({ read, from, to });
  }

  /** Hands bytes that have come to those who wait for them. */
  deliver(
    position: number,
    buffer: Uint8Array,
    start: number,
    end: number,
  ): void {
    const until = position + end - start;
    let isLast = false;
    for (const { read, from, to } of this.#waiting) {
      const first = Math.max(from, position);
      const last = Math.min(to, until);
      if (first >= last) continue;
      const at = start + first - position;
      read.take(first, buffer.subarray(at, at + last - first));
      isLast ||= to <= until;
    }
    if (!isLast) return;
    this.#waiting = this.#waiting.filter(({ to }) => to > until);
  }

  /** What still waits; nothing does any more. */
  takeWaiting(): Waiting[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting;
  }
}
