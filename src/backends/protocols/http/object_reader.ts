import { ERRNO } from "../../../base/errno.ts";
import type { CompletedOperation } from "../../../event/ring_events.ts";
import type { Answer } from "../../backend.ts";
import { BLOCK, CLAIM } from "../../block_cache/block_cache.ts";
import { BlockFetch, NO_SLOT, type Waiting } from "./block_fetch.ts";
import { CachedRead, type ReadOwner } from "./cached_read.ts";
import type { FetchFailure, FetchOwner } from "./fetch.ts";
import { FetchAhead } from "./fetch_ahead.ts";
import type { HttpPool } from "./pool.ts";
import type { ReaderParts } from "./reader_parts.ts";

/** What an event source counts in place of a read that it counts no more. */
const UNCOUNTED: CompletedOperation = { settle() {} };

/** Reads an object through the cache, in one thread. */
export class ObjectReader implements FetchOwner, ReadOwner {
  readonly #parts: ReaderParts;
  readonly #makePool: () => HttpPool;
  #pool: HttpPool | null = null;
  readonly #blocks: number;
  /** Fetches of this thread, by the blocks for which they have slots. */
  readonly #fetching = new Map<number, BlockFetch>();
  readonly #reads = new Set<CachedRead>();
  #onStreams = false;
  readonly #ahead: FetchAhead;
  #isWaitingElsewhere = false;
  #isClosed = false;

  /**
   * Makes a reader, which makes its pool when it needs one.
   *
   * @param makePool Makes a pool whose `modeChanged()` and `idle()` call those
   * of this reader.
   */
  constructor(parts: ReaderParts, makePool: () => HttpPool) {
    this.#parts = parts;
    this.#makePool = makePool;
    this.#blocks = Math.ceil(parts.size / BLOCK);
    this.#ahead = new FetchAhead(this.#blocks, {
      idle: () => this.#pool?.idle ?? 0,
      claim: (block) =>
        parts.cache.has(block) ? CLAIM.THERE : this.#claim(block),
      fetch: (first, slots) => this.#fetchAhead(first, slots),
    });
  }

  /** As `Backend.read()`. */
  read(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): Answer {
    const { cache, readAhead, size } = this.#parts;
    const count = Math.min(length, size - position);
    if (count <= 0) return 0;
    // Not even bytes that are there: they would be a mixture of two versions.
    if (cache.isChanged) return -ERRNO.EIO;
    const first = Math.floor(position / BLOCK);
    const last = Math.floor((position + count - 1) / BLOCK);
    const ahead = readAhead.read(first, last);
    const done = this.#copy(position, buffer, start, count);
    if (done === count) {
      if (ahead !== null) this.#ahead.want(ahead);
      return count;
    }
    const read = new CachedRead(position, buffer, start, count, this);
    this.#reads.add(read);
    const changes = cache.changes;
    const missing = Math.floor((position + done) / BLOCK);
    this.#place(read, missing, last);
    read.placed();
    void this.#waitElsewhere(changes);
    // Only while a request waits, for a connection is made by promises.
    if (ahead !== null && this.#ahead.want(ahead)) this.#poolNow().grow();
    this.#count(read);
    return read.completion;
  }

  /** Releases what the thread of a queue had claimed that has ended. */
  threadEnded(owner: number): void {
    this.#parts.cache.threadEnded(owner);
    this.#parts.readAhead.threadEnded(owner);
  }

  /** Ends everything; reads that wait fail. */
  close(): void {
    this.#isClosed = true;
    this.#pool?.close();
    for (const fetch of new Set(this.#fetching.values())) this.#release(fetch);
    for (const read of this.#reads) read.fail(-ERRNO.EIO);
    this.#parts.cache.wake();
  }

  modeChanged(onStreams: boolean): void {
    this.#onStreams = onStreams;
    for (const read of this.#reads) this.#count(read);
  }

  idle(): void {
    this.#ahead.goOn();
  }

  bytes(
    fetch: BlockFetch,
    position: number,
    buffer: Uint8Array,
    start: number,
    end: number,
  ): void {
    this.#fill(fetch, position, buffer, start, end);
    fetch.deliver(position, buffer, start, end);
  }

  ended(fetch: BlockFetch, failure: FetchFailure | null): void {
    this.#release(fetch);
    if (failure === null) return;
    const { isAhead } = fetch;
    const waiting = fetch.takeWaiting();
    if (isAhead && !failure.isChanged) {
      // No read waited for it when it began; these have joined it since.
      for (const each of waiting) this.#again(each);
      return;
    }
    this.#parts.failed(failure);
    for (const { read } of waiting) read.fail(-ERRNO.EIO);
  }

  finished(read: CachedRead): void {
    this.#reads.delete(read);
    const pool = this.#pool;
    const calling = pool?.callingStream ?? null;
    if (calling !== null) {
      if (!read.isCounted) calling.started();
      return calling.completed(read);
    }
    // No event wakes the thread, which runs promises at the moment.
    if (read.isCounted) pool?.stream?.completed(UNCOUNTED);
    queueMicrotask(() => read.settle());
  }

  /** Copies what is there; returns how many bytes from the start on. */
  #copy(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): number {
    const { cache } = this.#parts;
    let done = 0;
    while (done < length) {
      const at = position + done;
      const block = Math.floor(at / BLOCK);
      const from = at - block * BLOCK;
      const part = Math.min(length - done, BLOCK - from);
      if (!cache.copy(block, from, part, buffer, start + done)) break;
      done += part;
    }
    return done;
  }

  /** Finds or fetches blocks of a read. */
  #place(read: CachedRead, first: number, last: number): void {
    let slots: number[] = [];
    for (let block = first; block <= last; block++) {
      const slot = this.#look(read, block);
      if (slot !== null) {
        slots.push(slot);
        continue;
      }
      this.#fetch(block - slots.length, slots, read);
      slots = [];
    }
    const begin = last + 1 - slots.length;
    if (slots.length > 0) this.#extend(last + 1, slots);
    this.#fetch(begin, slots, read);
  }

  /**
   * Looks for one block of a read.
   *
   * @returns The slot to fetch it into; `null` if it is there or comes.
   */
  #look(read: CachedRead, block: number): number | null {
    const { cache } = this.#parts;
    const [from, to] = this.#partOf(read, block);
    const [buffer, at] = read.placeOf(from);
    const inBlock = from - block * BLOCK;
    if (cache.copy(block, inBlock, to - from, buffer, at)) return null;
    const fetching = this.#fetching.get(block);
    if (fetching !== undefined) {
      this.#join(fetching, read, block, from, to);
      return null;
    }
    const slot = this.#claim(block);
    switch (slot) {
      case CLAIM.THERE:
        // It may have been taken away again: whole, or not at all.
        return cache.copy(block, inBlock, to - from, buffer, at)
          ? null
          : NO_SLOT;
      case CLAIM.UNDER_WAY:
        read.elsewhere.push(block);
        return null;
      case CLAIM.NO_ROOM:
        return NO_SLOT;
      default:
        return slot;
    }
  }

  /** Claims a block, unless it is stored, so that it is there at once. */
  #claim(block: number): number {
    const { cache, store } = this.#parts;
    const slot = cache.claim(block);
    if (slot < 0 || store === null) return slot;
    if (!store.load(block, cache.memoryOf(slot))) return slot;
    cache.publish(slot);
    return CLAIM.THERE;
  }

  /** Lets a read wait for a block that this thread fetches already. */
  #join(
    fetch: BlockFetch,
    read: CachedRead,
    block: number,
    from: number,
    to: number,
  ): void {
    // The start of the block may have come: it is in the slot.
    const come = Math.min(to, Math.max(from, fetch.done));
    if (come > from) {
      const slot = fetch.slots[block - fetch.first]!;
      const memory = this.#parts.cache.memoryOf(slot);
      const start = block * BLOCK;
      const [buffer, at] = read.placeOf(from);
      buffer.set(memory.subarray(from - start, come - start), at);
    }
    if (come < to) fetch.add(read, come, to);
  }

  /** The part of a block that a read needs: positions in the object. */
  #partOf(read: CachedRead, block: number): readonly [number, number] {
    const { position, length } = read;
    return [
      Math.max(position, block * BLOCK),
      Math.min(position + length, (block + 1) * BLOCK),
    ];
  }

  /** Adds blocks that follow: a request takes as long for some more bytes. */
  #extend(next: number, slots: number[]): void {
    const { leastBlocks } = this.#parts;
    let block = next;
    while (slots.length < leastBlocks && block < this.#blocks) {
      if (this.#fetching.has(block)) return;
      const slot = this.#claim(block++);
      if (slot < 0) return;
      slots.push(slot);
    }
  }

  /** Fetches blocks for a read. */
  #fetch(first: number, slots: readonly number[], read: CachedRead): void {
    if (slots.length === 0) return;
    const fetch = this.#begin(first, slots, false);
    for (let i = 0; i < slots.length; i++) {
      const [from, to] = this.#partOf(read, first + i);
      if (from < to) fetch.add(read, from, to);
    }
    this.#poolNow().get(fetch);
  }

  #begin(
    first: number,
    slots: readonly number[],
    isAhead: boolean,
  ): BlockFetch {
    const fetch = new BlockFetch(
      first,
      slots,
      this.#parts.size,
      isAhead,
      this,
    );
    for (const [i, slot] of slots.entries()) {
      if (slot >= 0) this.#fetching.set(first + i, fetch);
    }
    return fetch;
  }

  /** Starts to fetch blocks that no request waits for yet. */
  #fetchAhead(first: number, slots: readonly number[]): void {
    const fetch = this.#begin(first, slots, true);
    if (!this.#poolNow().getAhead(fetch)) this.#release(fetch);
  }

  #poolNow(): HttpPool {
    return this.#pool ??= this.#makePool();
  }

  /** Puts bytes into their slots, and publishes the blocks that are whole. */
  #fill(
    fetch: BlockFetch,
    position: number,
    buffer: Uint8Array,
    start: number,
    end: number,
  ): void {
    const { cache, store, size } = this.#parts;
    for (let at = start; at < end;) {
      const from = position + at - start;
      const block = Math.floor(from / BLOCK);
      const inBlock = from - block * BLOCK;
      const count = Math.min(end - at, BLOCK - inBlock);
      const slot = fetch.slots[block - fetch.first]!;
      if (slot >= 0) {
        const memory = cache.memoryOf(slot);
        memory.set(buffer.subarray(at, at + count), inBlock);
        const length = Math.min(BLOCK, size - block * BLOCK);
        if (inBlock + count === length) {
          this.#fetching.delete(block);
          store?.save(block, memory);
          cache.publish(slot);
        }
      }
      at += count;
    }
  }

  /** Gives up the slots of a fetch that were not filled. */
  #release(fetch: BlockFetch): void {
    for (const [i, slot] of fetch.slots.entries()) {
      const block = fetch.first + i;
      if (slot < 0 || this.#fetching.get(block) !== fetch) continue;
      this.#fetching.delete(block);
      this.#parts.cache.abandon(slot);
    }
  }

  /** Looks once more for a part of a block that a read still needs. */
  #again({ read, from, to }: Waiting): void {
    if (read.isFinished) return;
    read.awaits(from - to);
    const block = Math.floor(from / BLOCK);
    const { changes } = this.#parts.cache;
    this.#place(read, block, block);
    read.check();
    this.#count(read);
    void this.#waitElsewhere(changes);
  }

  /**
   * Waits for blocks that other threads fetch.
   *
   * @param changes The count of the cache before these blocks were looked for.
   */
  async #waitElsewhere(changes: number): Promise<void> {
    if (this.#isWaitingElsewhere) return;
    const { cache } = this.#parts;
    this.#isWaitingElsewhere = true;
    let seen = changes;
    while (this.#waitingElsewhere().length > 0 && !this.#isClosed) {
      await cache.changed(seen);
      seen = cache.changes;
      for (const read of this.#waitingElsewhere()) {
        const blocks = read.elsewhere;
        read.elsewhere = [];
        for (const block of blocks) this.#place(read, block, block);
        read.check();
        this.#count(read);
      }
    }
    this.#isWaitingElsewhere = false;
  }

  #waitingElsewhere(): CachedRead[] {
    return [...this.#reads].filter((read) => read.elsewhere.length > 0);
  }

  /** Tells the event source whether a read waits for streams alone. */
  #count(read: CachedRead): void {
    const stream = this.#pool?.stream ?? null;
    if (read.isFinished || stream === null) return;
    const counts = this.#onStreams && read.elsewhere.length === 0;
    if (counts === read.isCounted) return;
    read.isCounted = counts;
    if (counts) stream.started();
    else stream.completed(UNCOUNTED);
  }
}
