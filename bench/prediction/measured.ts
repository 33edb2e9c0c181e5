/**
 * The figures of the 2025 QEMU patch: Hanna Czenczek, "fuse: Implement
 * multi-threading", qemu-block, 2025-07-01. Throughput of QEMU's FUSE export
 * under fio with 4 KiB blocks, with one server thread and with four.
 *
 * @module
 */
/** What QEMU served: a file, or `null-co`. */
export type Backend = "file" | "null";

/** Reading or writing. */
export type Direction = "read" | "write";

/** The position of the next block: after the last one, or random. */
export type Pattern = "seq" | "rand";

/** fio's engine: `libaio` (iodepth 16) or `psync`. */
export type Mode = "aio" | "sync";

/** A workload: what fio did, and with how many server threads. */
export interface Workload {
  /** What was served. */
  readonly backend: Backend;
  /** Reading or writing. */
  readonly direction: Direction;
  /** Sequential or random. */
  readonly pattern: Pattern;
  /** Asynchronous or synchronous. */
  readonly mode: Mode;
  /** The number of fio's jobs. */
  readonly numjobs: number;
  /** The number of server threads, each with a queue of its own. */
  readonly threads: number;
}

/** One measured figure. */
export interface Figure extends Workload {
  /** The table that it is from. */
  readonly table: 1 | 2 | 3;
  /** Thousands of requests a second, 4 KiB each. */
  readonly measuredKiops: number;
  /**
   * The change in percent against one thread (tables 1 and 3) or one job (table
   * 2).
   */
  readonly changePercent: number;
}

type Row = [
  Figure["table"],
  Backend,
  Direction,
  Pattern,
  Mode,
  numjobs: number,
  threads: number,
  kiops: number,
  changePercent: number,
];

const ROWS: readonly Row[] = [
  [1, "file", "read", "seq", "aio", 1, 4, 264.8, 120],
  [1, "file", "read", "rand", "aio", 1, 4, 143.8, 27],
  [1, "file", "read", "seq", "sync", 1, 4, 49.9, -5],
  [1, "file", "read", "rand", "sync", 1, 4, 10.3, -1],
  [1, "file", "write", "seq", "aio", 1, 4, 226.6, 184],
  [1, "file", "write", "rand", "aio", 1, 4, 225.9, 186],
  [1, "file", "write", "seq", "sync", 1, 4, 36.9, -11],
  [1, "file", "write", "rand", "sync", 1, 4, 36.9, -11],
  [1, "null", "read", "seq", "aio", 1, 4, 315.2, 18],
  [1, "null", "read", "rand", "aio", 1, 4, 300.5, 14],
  [1, "null", "read", "seq", "sync", 1, 4, 114.2, -16],
  [1, "null", "read", "rand", "sync", 1, 4, 112.5, -16],
  [1, "null", "write", "seq", "aio", 1, 4, 222.6, -21],
  [1, "null", "write", "rand", "aio", 1, 4, 220.5, -23],
  [1, "null", "write", "seq", "sync", 1, 4, 117.2, -18],
  [1, "null", "write", "rand", "sync", 1, 4, 116.3, -18],
  [2, "file", "read", "seq", "aio", 4, 1, 104.7, -13],
  [2, "file", "read", "rand", "aio", 4, 1, 111.5, -2],
  [2, "file", "read", "seq", "sync", 4, 1, 71, 36],
  [2, "file", "read", "rand", "sync", 4, 1, 41.4, 297],
  [2, "file", "write", "seq", "aio", 4, 1, 79.4, -1],
  [2, "file", "write", "rand", "aio", 4, 1, 78.6, 0],
  [2, "file", "write", "seq", "sync", 4, 1, 83.3, 101],
  [2, "file", "write", "rand", "sync", 4, 1, 82, 98],
  [2, "null", "read", "seq", "aio", 4, 1, 260.5, -2],
  [2, "null", "read", "rand", "aio", 4, 1, 260.1, -2],
  [2, "null", "read", "seq", "sync", 4, 1, 291.8, 115],
  [2, "null", "read", "rand", "sync", 4, 1, 280.1, 115],
  [2, "null", "write", "seq", "aio", 4, 1, 280.1, 0],
  [2, "null", "write", "rand", "aio", 4, 1, 279.5, -3],
  [2, "null", "write", "seq", "sync", 4, 1, 306.7, 116],
  [2, "null", "write", "rand", "sync", 4, 1, 305.9, 117],
  [3, "file", "read", "seq", "aio", 4, 4, 193.3, 85],
  [3, "file", "read", "rand", "aio", 4, 4, 329.3, 195],
  [3, "file", "read", "seq", "sync", 4, 4, 66.2, -7],
  [3, "file", "read", "rand", "sync", 4, 4, 40.1, -3],
  [3, "file", "write", "seq", "aio", 4, 4, 219.7, 177],
  [3, "file", "write", "rand", "aio", 4, 4, 217.2, 176],
  [3, "file", "write", "seq", "sync", 4, 4, 92.5, 11],
  [3, "file", "write", "rand", "sync", 4, 4, 91.9, 12],
  [3, "null", "read", "seq", "aio", 4, 4, 706.7, 171],
  [3, "null", "read", "rand", "aio", 4, 4, 714.7, 175],
  [3, "null", "read", "seq", "sync", 4, 4, 431.7, 48],
  [3, "null", "read", "rand", "sync", 4, 4, 435.4, 50],
  [3, "null", "write", "seq", "aio", 4, 4, 746.9, 167],
  [3, "null", "write", "rand", "aio", 4, 4, 749, 168],
  [3, "null", "write", "seq", "sync", 4, 4, 420.7, 37],
  [3, "null", "write", "rand", "sync", 4, 4, 419.1, 37],
];

/**
 * All measured figures: four threads and one job (table 1), one thread and four
 * jobs (table 2), four threads and four jobs (table 3).
 */
export const measuredFigures: readonly Figure[] = ROWS.map((row) => ({
  table: row[0],
  backend: row[1],
  direction: row[2],
  pattern: row[3],
  mode: row[4],
  numjobs: row[5],
  threads: row[6],
  measuredKiops: row[7],
  changePercent: row[8],
}));

/**
 * The figures with one server thread. Those with four jobs are table 2; those
 * with one job follow from the percentages of table 1. The model is fitted to
 * nothing else.
 */
export const singleThreadFigures: readonly Figure[] = [
  ...measuredFigures.filter(({ table }) => table === 1).map((cell) => ({
    ...cell,
    threads: 1,
    measuredKiops: cell.measuredKiops / (1 + cell.changePercent / 100),
    changePercent: 0,
  })),
  ...measuredFigures.filter(({ table }) => table === 2),
];

/**
 * The figures with four server threads, which are to be predicted: tables 1 and
 * 3.
 */
export const multiThreadFigures: readonly Figure[] = measuredFigures.filter(
  ({ table }) => table !== 2,
);
