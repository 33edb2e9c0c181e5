import { Completion, type Step } from "../event/completion.ts";
import type { Answer, Backend } from "./backend.ts";

/** Index of the number of errors that flushes of the image have found. */
const COUNT = 0;
/** Index of the count up to which some client has been told. */
const SEEN = 1;
/** Index of the error number found last. */
const ERROR = 2;
/** Index of the lock that a thread holds while it finds and counts errors. */
const LOCK = 3;

/** Milliseconds between two looks at a lock that another thread holds. */
const LOCK_WAIT_MS = 1;
/**
 * Looks after which the holder counts as dead. It holds the lock for some
 * system calls that never wait.
 */
const LOCK_WAITS_MAX = 2000;

/**
 * Errors of an image's flushes, counted once for all threads of an export, as
 * the kernel's errseq_t counts those of a file (lib/errseq.c): a file handle has
 * to be told if the count differs from what it was when the handle asked last.
 *
 * @category Disks of your own
 */
export class SyncErrors {
  /** Words of shared memory that it takes. */
  static readonly WORDS = 4;
  readonly #words: Int32Array<SharedArrayBuffer>;

  /**
   * Wraps the memory of a count.
   *
   * @param words {@linkcode SyncErrors.WORDS} words, zero when it is made.
   */
  constructor(words: Int32Array<SharedArrayBuffer>) {
    this.#words = words;
  }

  /** Makes the count of a new export. */
  static create(): SyncErrors {
    const size = SyncErrors.WORDS * Int32Array.BYTES_PER_ELEMENT;
    return SyncErrors.over(new SharedArrayBuffer(size));
  }

  /** Wraps memory that holds nothing else. */
  static over(memory: SharedArrayBuffer): SyncErrors {
    return new SyncErrors(new Int32Array(memory, 0, SyncErrors.WORDS));
  }

  /** The shared memory, for {@linkcode SyncErrors.over} in other threads. */
  get memory(): SharedArrayBuffer {
    return this.#words.buffer;
  }

  /** The number of errors found so far; it wraps around. */
  get count(): number {
    return Atomics.load(this.#words, COUNT);
  }

  /** The positive error number found last; 0 if there was none. */
  get errno(): number {
    return Atomics.load(this.#words, ERROR);
  }

  /** Whether some client has been told of every error. */
  get allSeen(): boolean {
    const { count } = this;
    return Atomics.load(this.#words, SEEN) === count;
  }

  /** Notes that a client has been told of all errors up to a count. */
  see(count: number): void {
    const words = this.#words;
    for (;;) {
      const seen = Atomics.load(words, SEEN);
      if ((count - seen | 0) <= 0) return;
      if (Atomics.compareExchange(words, SEEN, seen, count) === seen) return;
    }
  }

  /** Counts an error. */
  add(errno: number): void {
    Atomics.store(this.#words, ERROR, errno);
    Atomics.add(this.#words, COUNT, 1);
  }

  /**
   * Runs a function while no other thread does: for those who ask the kernel
   * for an error that it tells once, and then count it. The function must not
   * wait.
   */
  alone(work: () => void): void {
    const words = this.#words;
    for (let waits = 0; waits < LOCK_WAITS_MAX; waits++) {
      if (Atomics.compareExchange(words, LOCK, 0, 1) === 0) break;
      Atomics.wait(words, LOCK, 1, LOCK_WAIT_MS);
    }
    try {
      work();
    } finally {
      Atomics.store(words, LOCK, 0);
      Atomics.notify(words, LOCK);
    }
  }

  /**
   * Flushes an image after a change. The change is durable only if no flush has
   * failed since before the change: between the change and this flush, another
   * one may have written it, failed and been told of the error.
   *
   * @param image The image; its flush counts its failures here.
   * @param before The count before the change began.
   * @returns 0 or a negated errno.
   */
  flushSince(image: Backend, before: number): Answer {
    const flushed = image.flush();
    return typeof flushed === "number"
      ? this.resultSince(flushed, before)
      : Completion.of(flushed).after(RESULT_SINCE, this, before);
  }

  /** The result of a flush that has to cover a change. */
  resultSince(flushed: number, before: number): number {
    if (!(flushed >= 0)) return flushed;
    return this.count === before ? 0 : -this.errno;
  }
}

const RESULT_SINCE: Step<number, number, SyncErrors, number> = {
  run: (flushed, errors, before) => errors.resultSince(flushed, before),
};
