import { SharedMutex } from "../../../../shared_memory/mutex.ts";
import { Claims } from "./claims.ts";
import { cacheOwner } from "../../../mapped/slice_cache.ts";
import { Epochs } from "./epochs.ts";
import { FreedClusters } from "./freed_clusters.ts";

/** Threads that may attach to an image; more are refused. */
const THREADS_MAX = SharedMutex.HOLDERS_MAX;
const CACHE_LINE = 16;

/** Words of which each is a number of its own. */
const WORD = {
  /** Threads that have attached. */
  THREADS: 0,
  /** No cluster below it is free. */
  FREE_FROM: 1,
  /** Clusters from here on were never written: they are zeroes. */
  UNUSED_FROM: 2,
  /** Clusters that the file has room for. */
  FILE_CLUSTERS: 3,
  /** Where the refcount table starts, in clusters, and how many it has. */
  TABLE_AT: 4,
  TABLE_CLUSTERS: 5,
  /** Entries of the refcount table that are to be written. */
  TABLE_DIRTY_FROM: 6,
  TABLE_DIRTY_TO: 7,
  /** Where the L1 table starts, in clusters, and its entries in the file. */
  L1_AT: 8,
  L1_ENTRIES: 9,
  /** Entries of the L1 table of which some are to be written. */
  L1_DIRTY_FROM: 10,
  L1_DIRTY_TO: 11,
  /** Whether the image may be changed: one of `REFUSAL`. */
  REFUSAL: 12,
  /** Whether the header has the dirty bit: one of `DIRTY_BIT`. */
  DIRTY_BIT: 13,
  /** Not 0 if there is no room for refcounts until some are written. */
  REFCOUNTS_FULL: 14,
  /** How many snapshots there are. */
  SNAPSHOTS: 15,
} as const;
const WORDS = 16;

/** Whether the header of an image's file has the dirty bit. */
export const DIRTY_BIT = {
  CLEAR: 0,
  /** It is set, durably. */
  SET: 1,
  /** Writing it has failed, or its flush: it may be either. */
  UNKNOWN: 2,
} as const;

/** Why the image is not changed any more, or not yet. */
const REFUSAL = {
  NONE: 0,
  /** The image is damaged; what was changed before is still written. */
  DAMAGED: 1,
  /** A thread has ended in the middle of a change; no table is written. */
  FAILED: 2,
  /** Nothing was changed yet: first the header has to say so. */
  UNCHANGED: 3,
} as const;

/** A number that all threads share. */
type Word = keyof typeof WORD;

const LOCKS = 0;
const FLUSHES = LOCKS + SharedMutex.WORDS;
const NUMBERS = FLUSHES + SharedMutex.WORDS;
const SIZE = NUMBERS + WORDS;
const EPOCHS = SIZE + CACHE_LINE;
const CLAIMS = EPOCHS + Epochs.words(THREADS_MAX);
const FREED = CLAIMS + Claims.WORDS;
const QUEUES = FREED + FreedClusters.WORDS;
const ALL = QUEUES + THREADS_MAX;

/**
 * What all threads that write an image share, besides its tables. All but the
 * locks, epochs and the size belongs to the owner of the metadata lock.
 */
export class WriteState {
  /** Held while tables are looked at or changed, never during data I/O. */
  readonly tables: SharedMutex;
  /** Held by the one thread that writes tables to the file; taken first. */
  readonly flush: SharedMutex;
  readonly epochs: Epochs;
  readonly claims: Claims;
  readonly freed: FreedClusters;
  /** The number of this thread; 0 is the one that opened the image. */
  readonly thread: number;
  /** Its number in caches of slices. */
  readonly owner: number;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #size: Float64Array<SharedArrayBuffer>;
  /** For each thread its queue plus 1, 0 if it serves none. */
  readonly #queues: Int32Array<SharedArrayBuffer>;

  /** Makes the memory of an image's state. */
  static create(): SharedArrayBuffer {
    return new SharedArrayBuffer(4 * ALL);
  }

  /** Attaches one more thread, which serves a queue or opened the image. */
  constructor(memory: SharedArrayBuffer, queue: number | null = null) {
    const part = (at: number, words: number) =>
      new Int32Array(memory, 4 * at, words);
    this.#words = part(NUMBERS, WORDS);
    this.#size = new Float64Array(memory, 4 * SIZE, 1);
    const thread = Atomics.add(this.#words, WORD.THREADS, 1);
    if (thread >= THREADS_MAX) {
      throw new Error(`More than ${THREADS_MAX} threads write one image`);
    }
    this.thread = thread;
    this.owner = cacheOwner(queue);
    this.#queues = part(QUEUES, THREADS_MAX);
    Atomics.store(this.#queues, thread, queue === null ? 0 : queue + 1);
    this.tables = new SharedMutex(part(LOCKS, SharedMutex.WORDS), thread, true);
    this.flush = new SharedMutex(part(FLUSHES, SharedMutex.WORDS), thread);
    this.epochs = new Epochs(
      part(EPOCHS, Epochs.words(THREADS_MAX)),
      thread,
    );
    this.claims = new Claims(part(CLAIMS, Claims.WORDS), thread);
    this.freed = new FreedClusters(part(FREED, FreedClusters.WORDS));
  }

  /** The size of the disk in bytes; the export's lock orders its changes. */
  get size(): number {
    return this.#size[0]!;
  }

  set size(bytes: number) {
    this.#size[0] = bytes;
  }

  /** A shared number, from 0 to 2^32 - 1. */
  get(word: Word): number {
    return Atomics.load(this.#words, WORD[word]) >>> 0;
  }

  /** Changes a shared number. */
  set(word: Word, value: number): void {
    Atomics.store(this.#words, WORD[word], value | 0);
  }

  /**
   * Notes that the thread of a queue has ended. If it held a lock, tables are not
   * changed any more, and callers that wait for it go on and fail.
   *
   * @param undo Undoes what the owner of the metadata lock has begun.
   * @returns The threads of that queue that held claims.
   */
  queueEnded(queue: number, undo: () => void): number[] {
    const threads = this.get("THREADS");
    const claimers: number[] = [];
    for (let thread = 0; thread < threads; thread++) {
      if (Atomics.load(this.#queues, thread) !== queue + 1) continue;
      const isTables = this.tables.revoke(thread);
      const isFlush = this.flush.revoke(thread);
      if (isTables || isFlush) this.setFailed();
      if (isTables) undo();
      if (isTables) this.tables.unlock();
      if (isFlush) this.flush.unlock();
      if (this.claims.isOwner(thread)) claimers.push(thread);
      this.claims.wake();
    }
    return claimers;
  }

  /** Whether tables may not be written any more. */
  get hasFailed(): boolean {
    return this.get("REFUSAL") === REFUSAL.FAILED;
  }

  /** Writes no table any more: what is in memory and in the file may differ. */
  setFailed(): void {
    this.set("REFUSAL", REFUSAL.FAILED);
  }

  /** Whether the image may not be changed any more, or not yet. */
  get refusesChanges(): boolean {
    return this.get("REFUSAL") !== REFUSAL.NONE;
  }

  /** Whether the image is damaged, and was not before. */
  get isDamaged(): boolean {
    return this.get("REFUSAL") === REFUSAL.DAMAGED;
  }

  /** Refuses changes, because the image is damaged. */
  setDamaged(): void {
    const { NONE, UNCHANGED, DAMAGED } = REFUSAL;
    Atomics.compareExchange(this.#words, WORD.REFUSAL, UNCHANGED, DAMAGED);
    Atomics.compareExchange(this.#words, WORD.REFUSAL, NONE, DAMAGED);
  }

  /** Whether the first change has to be noted in the header before it. */
  get isUnchanged(): boolean {
    return this.get("REFUSAL") === REFUSAL.UNCHANGED;
  }

  /** Requires that the first change is noted before it. */
  setUnchanged(): void {
    this.set("REFUSAL", REFUSAL.UNCHANGED);
  }

  /** Allows changes, once the first one has been noted. */
  setChanged(): void {
    const { NONE, UNCHANGED } = REFUSAL;
    Atomics.compareExchange(this.#words, WORD.REFUSAL, UNCHANGED, NONE);
  }

  /** Adds an entry to the range of those that are to be written. */
  noteDirty(table: "L1" | "TABLE", entry: number): void {
    const from = this.get(`${table}_DIRTY_FROM`);
    const to = this.get(`${table}_DIRTY_TO`);
    const isEmpty = from === to;
    this.set(`${table}_DIRTY_FROM`, isEmpty ? entry : Math.min(from, entry));
    this.set(
      `${table}_DIRTY_TO`,
      isEmpty ? entry + 1 : Math.max(to, entry + 1),
    );
  }

  /** Whether entries of a table are to be written. */
  isDirty(table: "L1" | "TABLE"): boolean {
    return this.get(`${table}_DIRTY_FROM`) !== this.get(`${table}_DIRTY_TO`);
  }
}
