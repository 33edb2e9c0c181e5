/**
 * What the queues of one session show each other and whoever started them: a
 * row of counters for each queue, in memory that all Workers share.
 *
 * @module
 */

import { HISTOGRAM_LENGTH, observe, OPERATIONS } from "./latency.ts";

/** Totals of one queue. */
export interface QueueTotals {
  /** The queue's number. */
  readonly index: number;
  /** Requests taken from the kernel, except INIT. */
  readonly requests: number;
  /** READ requests answered. */
  readonly reads: number;
  /** WRITE requests answered. */
  readonly writes: number;
  /** Bytes that READs were answered with. */
  readonly bytesRead: number;
  /** Bytes that WRITEs reported as written. */
  readonly bytesWritten: number;
  /** Requests answered with an error. */
  readonly errors: number;
}

const STOPPING = 0;
const COUNT = 1;
const MEASURING = 2;
const IN_FLIGHT = 0;
/** A cache line pair each, so that Workers do not slow each other. */
const ROW_SIZE = 128;
const COUNTERS_AT = 8;
/** Histograms of a queue, in bytes. */
const HISTOGRAMS_SIZE = OPERATIONS.length * HISTOGRAM_LENGTH * 8;

/** How to make a {@linkcode QueueStatistics}. */
export interface BoardOptions {
  /** Whether queues measure how long requests take; no if left out. */
  readonly measuring?: boolean;
}

/** The shared memory of a session's queues. */
export class QueueStatistics {
  /** The memory, for another thread to look at. */
  readonly memory: SharedArrayBuffer;
  /** The rows, by queue. */
  readonly rows: readonly QueueCounters[];
  /** Whether queues measure how long requests take. */
  readonly measuring: boolean;
  readonly #words: Int32Array;

  /** Looks at memory that {@linkcode QueueStatistics.create} made. */
  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#words = new Int32Array(memory, 0, 3);
    const count = this.#words[COUNT]!;
    this.measuring = this.#words[MEASURING] !== 0;
    this.rows = Array.from(
      { length: count },
      (_, index) =>
        new QueueCounters(memory, index, this.measuring ? count : 0),
    );
  }

  /** Makes a board for a number of queues. */
  static create(
    queues: number,
    { measuring = false }: BoardOptions = {},
  ): QueueStatistics {
    const size = (queues + 1) * ROW_SIZE +
      (measuring ? queues * HISTOGRAMS_SIZE : 0);
    const memory = new SharedArrayBuffer(size);
    const words = new Int32Array(memory);
    words[COUNT] = queues;
    words[MEASURING] = Number(measuring);
    return new QueueStatistics(memory);
  }

  /** Whether the queues are to take no more requests. */
  get stopping(): boolean {
    return Atomics.load(this.#words, STOPPING) !== 0;
  }

  /** Tells every queue to answer what it has and take no more. */
  stop(): void {
    Atomics.store(this.#words, STOPPING, 1);
  }

  /** Requests that have been taken and not answered, over all queues. */
  get inFlight(): number {
    return this.rows.reduce((sum, row) => sum + row.inFlight, 0);
  }

  /** The totals of every queue. */
  totals(): QueueTotals[] {
    return this.rows.map((row) => row.totals());
  }
}

/** One queue's row; only the queue's own thread writes to it. */
export class QueueCounters {
  /** The queue's number. */
  readonly index: number;
  readonly #words: Int32Array;
  readonly #counters: Float64Array;

  readonly #histograms: readonly Float64Array<SharedArrayBuffer>[];

  /**
   * Looks at a row of a board's memory.
   *
   * @param memory The board's.
   * @param index The queue's number.
   * @param measured How many queues have histograms behind the rows.
   */
  constructor(memory: SharedArrayBuffer, index: number, measured: number) {
    const start = (index + 1) * ROW_SIZE;
    this.index = index;
    this.#words = new Int32Array(memory, start, 1);
    this.#counters = new Float64Array(memory, start + COUNTERS_AT, 6);
    const at = (measured + 1) * ROW_SIZE + index * HISTOGRAMS_SIZE;
    this.#histograms = measured === 0
      ? []
      : OPERATIONS.map((_, operation) =>
        new Float64Array(
          memory,
          at + operation * HISTOGRAM_LENGTH * 8,
          HISTOGRAM_LENGTH,
        )
      );
  }

  /** Requests that have been taken and not answered. */
  get inFlight(): number {
    return Atomics.load(this.#words, IN_FLIGHT);
  }

  /** A number that grows whenever a request is taken or answered. */
  get progress(): number {
    const taken = this.#counters[0]!;
    return 2 * taken - this.inFlight;
  }

  /** Notes that a request was taken. */
  taken(): void {
    // Nobody else writes here, and the atomic way is a call of its own.
    this.#words[IN_FLIGHT]!++;
    this.#counters[0]!++;
  }

  /** Notes that a request was answered. */
  answered(): void {
    this.#words[IN_FLIGHT]!--;
  }

  /** Counts a READ that was answered with `bytes`. */
  read(bytes: number): void {
    this.#counters[1]!++;
    this.#counters[3]! += bytes;
  }

  /** Counts a WRITE of which `bytes` were written. */
  written(bytes: number): void {
    this.#counters[2]!++;
    this.#counters[4]! += bytes;
  }

  /** Counts an error. */
  failed(): void {
    this.#counters[5]!++;
  }

  /**
   * Notes how long a request took; for boards that are measuring.
   *
   * @param operation Index in `OPERATIONS`.
   * @param ms Milliseconds from taking it to answering it.
   * @param bytes What it moved.
   */
  took(operation: number, ms: number, bytes: number): void {
    observe(this.#histograms[operation]!, ms, bytes);
  }

  /** Copies of the histograms, by operation; none if nothing is measured. */
  histograms(): Float64Array<ArrayBuffer>[] {
    return this.#histograms.map((histogram) => Float64Array.from(histogram));
  }

  /** The totals so far. */
  totals(): QueueTotals {
    const [requests, reads, writes, bytesRead, bytesWritten, errors] = this
      .#counters as unknown as [number, number, number, number, number, number];
    const { index } = this;
    return {
      index,
      requests,
      reads,
      writes,
      bytesRead,
      bytesWritten,
      errors,
    };
  }
}
