/**
 * Counters of a session's queues, in memory that its Workers and the main
 * thread share, with the session's request to stop.
 *
 * @module
 */
import { HISTOGRAM_LENGTH, observe, OPERATIONS } from "./latency.ts";
import {
  OPCODE_COUNTS_SIZE,
  OpcodeCounts,
  type OpcodeTotals,
} from "./opcode_counts.ts";

/**
 * Totals of one queue.
 *
 * @category Statistics
 */
export interface QueueTotals {
  /** The queue's number. */
  readonly index: number;
  /** Requests taken from the kernel, except INIT. */
  readonly requests: number;
  /** READ requests answered with success. */
  readonly reads: number;
  /** WRITE requests answered with success. */
  readonly writes: number;
  /** Bytes that READs returned. */
  readonly bytesRead: number;
  /** Bytes of these that were spliced, not copied. */
  readonly bytesSpliced: number;
  /** Bytes that WRITEs reported as written. */
  readonly bytesWritten: number;
  /** Requests answered with an error, INTERRUPTs left out. */
  readonly errors: number;
}

// Words of the session's own cache lines.
const STOPPING = 0;
const COUNT = 1;
const MEASURING = 2;
// The first word of a queue's cache lines; its totals follow.
const IN_FLIGHT = 0;
const IS_FULL = 1;
const QUEUE_WORDS = 2;
const TOTALS_AT = 8;
// Indexes of a queue's totals.
const REQUESTS = 0;
const READS = 1;
const WRITES = 2;
const BYTES_READ = 3;
const BYTES_WRITTEN = 4;
const ERRORS = 5;
const BYTES_SPLICED = 6;
const TOTALS = 7;
/** Bytes of the session's own words: two cache lines, which no Worker writes. */
const SESSION_SIZE = 128;
// The memory of a queue: whole pairs of cache lines, so that Workers do not slow
// each other.
const OPCODES_AT = 128;
const HISTOGRAMS_AT = OPCODES_AT + OPCODE_COUNTS_SIZE;
const HISTOGRAMS_SIZE = OPERATIONS.length * HISTOGRAM_LENGTH * 8;
const QUEUE_SIZE = HISTOGRAMS_AT + HISTOGRAMS_SIZE;

/**
 * The options of {@linkcode QueueStatistics.create}.
 *
 * @category Statistics
 */
export interface QueueStatisticsOptions {
  /** Whether queues measure how long requests take from the start on. */
  readonly measuring?: boolean;
}

/**
 * Counters of the queues of one session, and its request to stop.
 *
 * @category Statistics
 */
export class QueueStatistics {
  /** The shared memory, which another thread wraps with its own object. */
  readonly memory: SharedArrayBuffer;
  /** The counters of each queue. */
  readonly queues: readonly QueueCounters[];
  readonly #words: Int32Array;

  /** Wraps memory that {@linkcode QueueStatistics.create} made. */
  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    const words = new Int32Array(memory, 0, 3);
    this.#words = words;
    this.queues = Array.from(
      { length: words[COUNT]! },
      (_, index) => new QueueCounters(memory, index),
    );
  }

  /** Makes statistics of a number of queues. */
  static create(
    queues: number,
    { measuring = false }: QueueStatisticsOptions = {},
  ): QueueStatistics {
    const memory = new SharedArrayBuffer(SESSION_SIZE + queues * QUEUE_SIZE);
    const words = new Int32Array(memory);
    words[COUNT] = queues;
    words[MEASURING] = Number(measuring);
    return new QueueStatistics(memory);
  }

  /** Whether queues measure how long requests take. */
  get measuring(): boolean {
    // Read for each request; a queue may notice late, so nothing is atomic.
    return this.#words[MEASURING] !== 0;
  }

  /** Makes the queues measure how long requests take, from the next one on. */
  measure(): void {
    Atomics.store(this.#words, MEASURING, 1);
  }

  /** Whether the queues must take no more requests. */
  get stopping(): boolean {
    return Atomics.load(this.#words, STOPPING) !== 0;
  }

  /** Tells every queue to answer what is outstanding and take no more. */
  stop(): void {
    Atomics.store(this.#words, STOPPING, 1);
  }

  /** Requests that were taken and not answered yet, in all queues. */
  get inFlight(): number {
    return this.queues.reduce((sum, queue) => sum + queue.inFlight, 0);
  }

  /** The totals of every queue. */
  totals(): QueueTotals[] {
    return this.queues.map((queue) => queue.totals());
  }
}

/**
 * The counters of one queue; only the queue's own thread writes to them.
 *
 * @category Statistics
 */
export class QueueCounters {
  /** The queue's number. */
  readonly index: number;
  readonly #words: Int32Array;
  readonly #totals: Float64Array;
  readonly #opcodes: OpcodeCounts;
  readonly #histograms: readonly Float64Array<SharedArrayBuffer>[];

  /**
   * Wraps the part of the shared memory that belongs to one queue.
   *
   * @param memory The memory of a {@linkcode QueueStatistics}.
   * @param index The queue's number.
   */
  constructor(memory: SharedArrayBuffer, index: number) {
    const start = SESSION_SIZE + index * QUEUE_SIZE;
    this.index = index;
    this.#words = new Int32Array(memory, start, QUEUE_WORDS);
    this.#totals = new Float64Array(memory, start + TOTALS_AT, TOTALS);
    this.#opcodes = new OpcodeCounts(memory, start + OPCODES_AT);
    const at = start + HISTOGRAMS_AT;
    this.#histograms = OPERATIONS.map((_, operation) =>
      new Float64Array(
        memory,
        at + operation * HISTOGRAM_LENGTH * 8,
        HISTOGRAM_LENGTH,
      )
    );
  }

  /** Requests that were taken and not answered yet. */
  get inFlight(): number {
    return Atomics.load(this.#words, IN_FLIGHT);
  }

  /** Whether the queue has room for another request; not once it has ended. */
  get hasRoom(): boolean {
    return Atomics.load(this.#words, IS_FULL) === 0;
  }

  set hasRoom(hasRoom: boolean) {
    Atomics.store(this.#words, IS_FULL, Number(!hasRoom));
  }

  /** A number that grows whenever a request is taken or answered. */
  get progress(): number {
    return 2 * this.#totals[REQUESTS]! - this.inFlight;
  }

  /** Counts a request that was taken. */
  taken(opcode: number): void {
    // This thread is the only writer; an atomic operation would be a call.
    this.#words[IN_FLIGHT]!++;
    this.#totals[REQUESTS]!++;
    this.#opcodes.taken(opcode);
  }

  /** Counts a request that was answered. */
  answered(): void {
    this.#words[IN_FLIGHT]!--;
  }

  /** Counts a READ that returned `bytes`. */
  read(bytes: number): void {
    this.#totals[READS]!++;
    this.#totals[BYTES_READ]! += bytes;
  }

  /** Counts bytes of a READ that were spliced. */
  spliced(bytes: number): void {
    this.#totals[BYTES_SPLICED]! += bytes;
  }

  /** Counts a WRITE that wrote `bytes`. */
  written(bytes: number): void {
    this.#totals[WRITES]!++;
    this.#totals[BYTES_WRITTEN]! += bytes;
  }

  /** Counts an error. */
  failed(opcode: number): void {
    this.#totals[ERRORS]!++;
    this.#opcodes.failed(opcode);
  }

  /**
   * Adds a request to the histograms.
   *
   * @param operation Index in `OPERATIONS`.
   * @param ms Milliseconds from taking it to answering it.
   * @param bytes Bytes that it transferred.
   */
  took(operation: number, ms: number, bytes: number): void {
    observe(this.#histograms[operation]!, ms, bytes);
  }

  /** Copies of the histograms, by operation. */
  histograms(): Float64Array<ArrayBuffer>[] {
    return this.#histograms.map((histogram) => Float64Array.from(histogram));
  }

  /** Requests and errors so far by opcode. */
  opcodes(): OpcodeTotals[] {
    return this.#opcodes.totals();
  }

  /** The totals so far. */
  totals(): QueueTotals {
    const totals = this.#totals;
    return {
      index: this.index,
      requests: totals[REQUESTS]!,
      reads: totals[READS]!,
      writes: totals[WRITES]!,
      bytesRead: totals[BYTES_READ]!,
      bytesSpliced: totals[BYTES_SPLICED]!,
      bytesWritten: totals[BYTES_WRITTEN]!,
      errors: totals[ERRORS]!,
    };
  }
}
