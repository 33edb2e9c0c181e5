/**
 * Statistics of queues in an interval, computed from histograms that only grow.
 *
 * @module
 */
import {
  OPERATIONS,
  type OperationTotals,
  totalsOf,
} from "../../queue/latency.ts";
import { formatTable } from "./table.ts";

/** Histograms by queue and operation. */
export type Histograms = readonly (readonly Float64Array[])[];

/** The statistics of one queue, or of all together. */
export interface QueueStats {
  /** The queue's number, or `all`. */
  readonly queue: number | "all";
  /** Its totals by kind of request; only kinds that occurred. */
  readonly operations: readonly OperationTotals[];
}

/** The statistics of an interval. */
export interface Stats {
  /** The length of the interval. */
  readonly seconds: number;
  /** The statistics of each queue, then of all together. */
  readonly queues: readonly QueueStats[];
}

/**
 * Computes what happened between two copies of the histograms.
 *
 * @param before The earlier copy; `null` for the start.
 * @param after The later copy.
 * @param seconds The time between.
 */
export function statsBetween(
  before: Histograms | null,
  after: Histograms,
  seconds: number,
): Stats {
  const deltas = after.map((row, queue) =>
    row.map((histogram, operation) =>
      histogram.map((count, i) =>
        count - (before?.[queue]?.[operation]?.[i] ?? 0)
      )
    )
  );
  const all = OPERATIONS.map((_, operation) => sumOf(deltas, operation));
  return {
    seconds,
    queues: [
      ...deltas.map((row, queue) => queueStats(queue, row)),
      queueStats("all", all),
    ],
  };
}

/** A table with a row for each queue and kind of request that occurred. */
export function statsTable({ seconds, queues }: Stats): string[] {
  const rows = queues.flatMap(({ queue, operations }) =>
    operations.map((totals) => [
      `${queue} ${totals.operation}`,
      ...cellsOf(totals, seconds),
    ])
  );
  const headings = ["queue", "requests/s", "MB/s", "mean us", "p99 us"];
  return formatTable([headings, ...rows]);
}

/** The same numbers as sentences, one a line. */
export function statsLines({ seconds, queues }: Stats): string[] {
  return queues.flatMap(({ queue, operations }) => {
    const name = queue === "all" ? "all queues" : `queue ${queue}`;
    return operations.map((totals) => {
      const [rate, bytes, mean, p99] = cellsOf(totals, seconds);
      return `${name}, ${totals.operation}: ${rate} requests/s, ${bytes} MB/s, ` +
        `mean ${mean} us, p99 ${p99} us`;
    });
  });
}

function cellsOf(
  { requests, bytes, meanUs, p99Us }: OperationTotals,
  seconds: number,
): [string, string, string, string] {
  return [
    (requests / seconds).toFixed(0),
    (bytes / seconds / 1e6).toFixed(1),
    meanUs.toFixed(1),
    p99Us.toFixed(1),
  ];
}

function queueStats(
  queue: number | "all",
  row: readonly Float64Array[],
): QueueStats {
  const operations = row.map((histogram, operation) =>
    totalsOf(OPERATIONS[operation]!, histogram)
  );
  return {
    queue,
    operations: operations.filter(({ requests }) => requests > 0),
  };
}

function sumOf(rows: Histograms, operation: number): Float64Array {
  const sum = new Float64Array(rows[0]?.[operation]?.length ?? 0);
  for (const row of rows) {
    const histogram = row[operation]!;
    for (let i = 0; i < sum.length; i++) sum[i]! += histogram[i]!;
  }
  return sum;
}
