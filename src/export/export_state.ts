import { type Clock, type NewTime, systemTime } from "../base/timespec.ts";
import { SyncErrors } from "../backends/sync_errors.ts";
import { SharedRwLock } from "../shared_memory/rw_lock.ts";
import { OpenHandles } from "./open_handles.ts";
import { SharedTime } from "./shared_time.ts";

/**
 * The options of {@linkcode ExportState.create}.
 *
 * @category Exporting an image
 */
export interface ExportStateOptions {
  /** Size of the image in bytes. */
  readonly size: number;
  /** Permission bits of the file, such as `0o400`. */
  readonly mode: number;
  /** The user id of its owner. */
  readonly uid: number;
  /** Its group id. */
  readonly gid: number;
  /** Whether all queues are served by this thread; no if left out. */
  readonly oneThread?: boolean;
  /** Queues that are served by other threads; none if left out. */
  readonly queues?: number;
  /** The clock of the file's times; the system's if left out. */
  readonly clock?: Clock;
}

/**
 * Which thread an {@linkcode ExportState} is for.
 *
 * @category Exporting an image
 */
export interface ExportStateThread {
  /** The queue that it serves; left out in the thread that made the state. */
  readonly queue?: number;
  /** Whether no other thread uses the state; no if left out. */
  readonly oneThread?: boolean;
  /** The clock of the file's times; the system's if left out. */
  readonly clock?: Clock;
}

// Words of the memory, and bytes and places of its 64-bit part.
const SIZE_VERSION = 0;
const SIZE_LOW = 1;
const SIZE_HIGH = 2;
const MODE = 3;
const UID = 4;
const GID = 5;
const READ_ONLY = 6;
const WRITTEN = 7;
const WORDS = 8;
const SYNC_ERRORS_AT = 64;
const ATIME_AT = 96;
const MTIME_AT = ATIME_AT + SharedTime.BYTES;
const CHANGED_AT = MTIME_AT + SharedTime.BYTES;
const LAST_WRITE_AT = CHANGED_AT + SharedTime.BYTES;
const HANDLES_AT = LAST_WRITE_AT + SharedTime.BYTES;
/** At the start of a pair of cache lines, as the shares of the lock are. */
const LOCK_AT = Math.ceil((HANDLES_AT + OpenHandles.WORDS * 4) / 128) * 128;
const TWO_32 = 2 ** 32;
const ANY_WRITE = 0o222;

/**
 * The state that all queues of an export share: size, mode, owner and times of
 * the file, in memory that all Workers share.
 *
 * @category Exporting an image
 */
export class ExportState {
  /** The shared memory, from which other Workers make their own object. */
  readonly memory: SharedArrayBuffer;
  /**
   * Writes inside the image share it; operations that change the size hold it
   * exclusively, so that no write lands beyond an end that is moving.
   */
  readonly lock: SharedRwLock;
  /** The handles that clients have opened. */
  readonly handles: OpenHandles;
  /** Counts failed flushes where the image's backends do not. */
  readonly syncErrors: SyncErrors;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #clock: Clock;
  readonly #atime: SharedTime;
  readonly #mtime: SharedTime;
  readonly #changed: SharedTime;
  /** The last write; unlike mtime, no program sets it. */
  readonly #lastWrite: SharedTime;
  /** The size when this thread read it last, and its version. */
  #seenVersion = -1;
  #seenSize = 0;

  /**
   * Wraps memory that {@linkcode ExportState.create} made.
   *
   * @param memory The memory.
   * @param thread The thread that will use this object.
   */
  constructor(
    memory: SharedArrayBuffer,
    { queue, oneThread, clock = systemTime }: ExportStateThread = {},
  ) {
    this.memory = memory;
    this.#clock = clock;
    this.#words = new Int32Array(memory, 0, WORDS);
    this.lock = new SharedRwLock(new Int32Array(memory, LOCK_AT), {
      holder: queue === undefined ? 0 : holderOf(queue),
      ...oneThread === undefined ? {} : { oneThread },
    });
    this.handles = new OpenHandles(
      new Int32Array(memory, HANDLES_AT, OpenHandles.WORDS),
    );
    this.syncErrors = new SyncErrors(
      new Int32Array(memory, SYNC_ERRORS_AT, SyncErrors.WORDS),
    );
    this.#atime = new SharedTime(memory, ATIME_AT);
    this.#mtime = new SharedTime(memory, MTIME_AT);
    this.#changed = new SharedTime(memory, CHANGED_AT);
    this.#lastWrite = new SharedTime(memory, LAST_WRITE_AT);
  }

  /** Makes the state of a new export. */
  static create(options: ExportStateOptions): ExportState {
    const { queues = 0, oneThread = false, clock = systemTime } = options;
    const words = SharedRwLock.words(1 + queues);
    const memory = new SharedArrayBuffer(LOCK_AT + 4 * words);
    const state = new ExportState(memory, { oneThread, clock });
    state.size = options.size;
    state.mode = options.mode;
    state.uid = options.uid;
    state.gid = options.gid;
    const now = clock();
    state.#set(now, now);
    state.#lastWrite.value = now;
    return state;
  }

  /**
   * Takes the lock back from the thread of a queue that has ended, as
   * {@linkcode SharedRwLock.revoke} does.
   */
  revokeLock(queue: number): boolean {
    return this.lock.revoke(holderOf(queue));
  }

  /** Size of the file in bytes. */
  get size(): number {
    const words = this.#words;
    for (;;) {
      // Odd while the size is being set, changed if it was set meanwhile.
      const version = Atomics.load(words, SIZE_VERSION);
      if (version === this.#seenVersion) return this.#seenSize;
      const low = Atomics.load(words, SIZE_LOW);
      const high = Atomics.load(words, SIZE_HIGH);
      const settled = (version & 1) === 0 &&
        Atomics.load(words, SIZE_VERSION) === version;
      if (!settled) continue;
      this.#seenVersion = version;
      this.#seenSize = high * TWO_32 + (low >>> 0);
    }
  }

  /** Sets the size. Caller holds the lock exclusively. */
  set size(bytes: number) {
    // It is odd already if a thread has died here.
    Atomics.or(this.#words, SIZE_VERSION, 1);
    Atomics.store(this.#words, SIZE_LOW, bytes % TWO_32 | 0);
    Atomics.store(this.#words, SIZE_HIGH, Math.floor(bytes / TWO_32));
    Atomics.add(this.#words, SIZE_VERSION, 1);
  }

  /** Whether a writable export refuses changes from now on. */
  get readOnly(): boolean {
    return Atomics.load(this.#words, READ_ONLY) !== 0;
  }

  /** Refuses changes from now on. Caller holds the lock exclusively. */
  makeReadOnly(): void {
    Atomics.store(this.#words, READ_ONLY, 1);
    this.mode &= ~ANY_WRITE;
    this.changed();
  }

  /** Permission bits, without the file's type. */
  get mode(): number {
    return Atomics.load(this.#words, MODE);
  }

  /** Sets the permission bits; others are dropped. */
  set mode(bits: number) {
    Atomics.store(this.#words, MODE, bits & 0o7777);
  }

  /** Clears permission bits; changes of the others by other threads are kept. */
  clearModeBits(bits: number): void {
    Atomics.and(this.#words, MODE, ~bits);
  }

  /** The owner's user id. */
  get uid(): number {
    return Atomics.load(this.#words, UID) >>> 0;
  }

  /** Sets the owner. */
  set uid(id: number) {
    Atomics.store(this.#words, UID, id | 0);
  }

  /** The group's id. */
  get gid(): number {
    return Atomics.load(this.#words, GID) >>> 0;
  }

  /** Sets the group. */
  set gid(id: number) {
    Atomics.store(this.#words, GID, id | 0);
  }

  /** Time of the last access, as it was set; nanoseconds since 1970. */
  get atime(): bigint {
    return this.#atime.value;
  }

  /** Time of the last write, nanoseconds since 1970. */
  get mtime(): bigint {
    this.stampWrites();
    return this.#mtime.value;
  }

  /** Time of the last write or change of attributes. */
  get ctime(): bigint {
    this.stampWrites();
    const { changedAt } = this;
    const lastWrite = this.#lastWrite.value;
    return lastWrite > changedAt ? lastWrite : changedAt;
  }

  /** Time of the last change of attributes; 0 if there was none. */
  get changedAt(): bigint {
    return this.#changed.value;
  }

  /**
   * Notes that bytes changed. POSIX allows to mark the time for update only;
   * reading the clock at each write would allocate.
   */
  written(): void {
    const words = this.#words;
    if (words[WRITTEN] === 0) Atomics.store(words, WRITTEN, 1);
  }

  /** Updates the time of the last write if it is marked; on close and stat. */
  stampWrites(): void {
    if (Atomics.exchange(this.#words, WRITTEN, 0) === 1) {
      const now = this.#clock();
      this.#mtime.value = now;
      this.#lastWrite.value = now;
    }
  }

  /** Notes that an attribute changed. */
  changed(): void {
    this.#changed.value = this.#clock();
  }

  /** Sets times, which changes the attributes too. */
  touch(atime: NewTime, mtime: NewTime): void {
    const now = this.#clock();
    this.#set(atime === "now" ? now : atime, mtime === "now" ? now : mtime);
    this.#changed.value = now;
  }

  #set(atime: bigint | null, mtime: bigint | null): void {
    if (atime !== null) this.#atime.value = atime;
    if (mtime !== null) {
      Atomics.store(this.#words, WRITTEN, 0);
      this.#mtime.value = mtime;
    }
  }
}

/** The number of a queue's thread as a holder of the lock; 0 is the maker's. */
function holderOf(queue: number): number {
  return queue + 1;
}
