import { nanosecondsOf, secondsOf, timeOf } from "../base/timespec.ts";

/** Values that are kept beside the current one, for threads that read it. */
const SLOTS = 4;
const COUNTERS_BYTES = 8;
const SLOT_WORDS = 2;
/** A thread that died while it wrote must not stop the readers. */
const MAX_RETRIES = 1000;

// Words of the counters.
const STARTED = 0;
const FINISHED = 1;

/**
 * A time in memory that all threads share. Seconds and nanoseconds are kept
 * apart, because nanoseconds since 1970 leave 64 bits in the year 2262.
 *
 * Each write has a number and its own slot, so that no thread reads one half of
 * a time and the other half of another, and no lock is held by a thread that may
 * be ended.
 */
export class SharedTime {
  /** The bytes that one takes, a multiple of 8. */
  static readonly BYTES: number = COUNTERS_BYTES + 8 * SLOT_WORDS * SLOTS;

  readonly #counters: Int32Array<SharedArrayBuffer>;
  readonly #slots: BigInt64Array<SharedArrayBuffer>;

  /**
   * Uses shared memory; zeroes are the time 0.
   *
   * @param memory The memory.
   * @param at Where the time begins, a multiple of 8.
   */
  constructor(memory: SharedArrayBuffer, at: number) {
    this.#counters = new Int32Array(memory, at, COUNTERS_BYTES / 4);
    this.#slots = new BigInt64Array(
      memory,
      at + COUNTERS_BYTES,
      SLOT_WORDS * SLOTS,
    );
  }

  /** Nanoseconds since 1970: seconds of 64 bits, and nanoseconds. */
  get value(): bigint {
    for (let retries = 0;; retries++) {
      const write = Atomics.load(this.#counters, FINISHED);
      const at = slotOf(write);
      const seconds = Atomics.load(this.#slots, at);
      const nanoseconds = Atomics.load(this.#slots, at + 1);
      const started = Atomics.load(this.#counters, STARTED);
      const isWhole = ((started - write) | 0) < SLOTS;
      if (isWhole || retries === MAX_RETRIES) {
        return timeOf(seconds, Number(nanoseconds));
      }
    }
  }

  /** Sets the time. */
  set value(ns: bigint) {
    const write = (Atomics.add(this.#counters, STARTED, 1) + 1) | 0;
    const at = slotOf(write);
    Atomics.store(this.#slots, at, secondsOf(ns));
    Atomics.store(this.#slots, at + 1, BigInt(nanosecondsOf(ns)));
    this.#finish(write);
  }

  /** Makes a write the current one, unless a later one is current already. */
  #finish(write: number): void {
    let current = Atomics.load(this.#counters, FINISHED);
    while (((write - current) | 0) > 0) {
      const seen = Atomics.compareExchange(
        this.#counters,
        FINISHED,
        current,
        write,
      );
      if (seen === current) return;
      current = seen;
    }
  }
}

function slotOf(write: number): number {
  return (write & (SLOTS - 1)) * SLOT_WORDS;
}
