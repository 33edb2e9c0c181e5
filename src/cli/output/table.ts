import { formatSize } from "../../backends/size.ts";
import type { QueueTotals } from "../../queue/queue_statistics.ts";

/**
 * Lines of a table: the first column is aligned left, the others right.
 *
 * @param rows The headings first; all have the same number of cells.
 */
export function formatTable(rows: readonly (readonly string[])[]): string[] {
  const [headings = []] = rows;
  const widths = headings.map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? "").length))
  );
  return rows.map((row) =>
    row.map((cell, column) =>
      column === 0
        ? cell.padEnd(widths[column]!)
        : cell.padStart(widths[column]!)
    ).join("  ").trimEnd()
  );
}

/**
 * A table of the totals of each queue, with the sums in the last line.
 *
 * @param queues The totals of each queue.
 * @param seconds The time it took, for a column of bytes per second.
 */
export function queueTable(
  queues: readonly QueueTotals[],
  seconds: number | null = null,
): string[] {
  const headings = [
    "queue",
    "requests",
    "reads",
    "writes",
    "read",
    "spliced",
    "written",
    "errors",
  ];
  if (seconds !== null) headings.push("throughput");
  const rows = queues.map((row) => queueRow(String(row.index), row, seconds));
  return formatTable([
    headings,
    ...rows,
    queueRow("all", sumOf(queues), seconds),
  ]);
}

function queueRow(
  name: string,
  totals: Omit<QueueTotals, "index">,
  seconds: number | null,
): string[] {
  const { requests, reads, writes, bytesRead, bytesSpliced } = totals;
  const { bytesWritten, errors } = totals;
  const row = [
    name,
    String(requests),
    String(reads),
    String(writes),
    formatSize(bytesRead),
    formatSize(bytesSpliced),
    formatSize(bytesWritten),
    String(errors),
  ];
  if (seconds !== null) {
    const rate = (bytesRead + bytesWritten) / seconds;
    row.push(`${formatSize(Math.round(rate))}/s`);
  }
  return row;
}

function sumOf(queues: readonly QueueTotals[]): Omit<QueueTotals, "index"> {
  const sum = (pick: (totals: QueueTotals) => number) =>
    queues.reduce((total, queue) => total + pick(queue), 0);
  return {
    requests: sum((queue) => queue.requests),
    reads: sum((queue) => queue.reads),
    writes: sum((queue) => queue.writes),
    bytesRead: sum((queue) => queue.bytesRead),
    bytesSpliced: sum((queue) => queue.bytesSpliced),
    bytesWritten: sum((queue) => queue.bytesWritten),
    errors: sum((queue) => queue.errors),
  };
}
