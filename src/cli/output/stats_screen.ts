/**
 * The statistics of an interval as a picture for a terminal: the table, a bar for
 * the share of each row, and the throughput of the last intervals.
 *
 * @module
 */
import type { OperationTotals } from "../../queue/latency.ts";
import { type Stats, statsTable } from "./stats.ts";

/** Terminals with fewer columns get lines instead. */
export const NARROW_COLUMNS = 60;

/** In place of the table of an interval without a request. */
const IDLE = "no requests";
const BAR_MAX = 20;
/** The bars' heading and their percentages need this much. */
const BAR_MIN = 6;
const PERCENT_WIDTH = 6;
const GAP = "  ";
/** Eighths of a character, from the left and from the bottom. */
const LEFT = [..." \u258f\u258e\u258d\u258c\u258b\u258a\u2589\u2588"];
const UP = [..."\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588"];
const CYAN = "\x1b[36m";
const GREEN = "\x1b[32m";
const DIM = "\x1b[2m";
const PLAIN = "\x1b[0m";

/**
 * Draws it, for a terminal of so many columns.
 *
 * @param history Bytes a second in each interval, the last one included.
 */
export function statsScreen(
  stats: Stats,
  history: readonly number[],
  columns: number,
): string[] {
  const [heading = "", ...lines] = statsTable(stats);
  if (lines.length === 0) return [IDLE, sparkline(history, columns)];
  const width = Math.max(...[heading, ...lines].map((line) => line.length));
  const room = columns - 1 - width - GAP.length - PERCENT_WIDTH;
  const bar = Math.min(BAR_MAX, room);
  const rows = rowsOf(stats);
  const all = allOf(stats).reduce((sum, { requests }) => sum + requests, 0);
  const table = bar < BAR_MIN ? [heading, ...lines] : [
    `${heading.padEnd(width)}${GAP}share`,
    ...lines.map((line, i) => {
      const share = rows[i]!.requests / Math.max(1, all);
      const percent = `${Math.round(100 * share)} %`.padStart(PERCENT_WIDTH);
      const drawn = `${CYAN}${barOf(share, bar)}${PLAIN}`;
      return `${line.padEnd(width)}${GAP}${drawn}${percent}`;
    }),
  ];
  const [first = "", ...rest] = table;
  return [`${DIM}${first}${PLAIN}`, ...rest, sparkline(history, columns)];
}

/** The same in a few short lines, for a narrow terminal: all queues together. */
export function narrowLines(stats: Stats, columns: number): string[] {
  const { seconds } = stats;
  const lines = allOf(stats).map(({ operation, requests, bytes, p99Us }) => {
    const rate = (requests / seconds).toFixed(0);
    const mb = (bytes / seconds / 1e6).toFixed(0);
    const data = bytes === 0 ? "" : ` ${mb} MB/s`;
    return `${operation} ${rate}/s${data} p99 ${p99Us.toFixed(0)} us`;
  });
  return (lines.length === 0 ? [IDLE] : lines)
    .map((line) => line.slice(0, Math.max(1, columns - 1)));
}

/** Bytes a second that all queues read and wrote. */
export function bytesPerSecond(stats: Stats): number {
  const bytes = allOf(stats).reduce((sum, { bytes }) => sum + bytes, 0);
  return bytes / stats.seconds;
}

function rowsOf({ queues }: Stats): OperationTotals[] {
  return queues.flatMap(({ operations }) => operations);
}

function allOf({ queues }: Stats): readonly OperationTotals[] {
  return queues.find(({ queue }) => queue === "all")?.operations ?? [];
}

/** A bar of so many characters, of which a share is filled. */
function barOf(share: number, width: number): string {
  const eighths = Math.round(Math.min(1, share) * width * 8);
  const whole = "\u2588".repeat(eighths >> 3);
  const part = eighths % 8 === 0 ? "" : LEFT[eighths % 8]!;
  return (whole + part).padEnd(width);
}

/** The throughput of the last intervals, as many as there is room for. */
function sparkline(history: readonly number[], columns: number): string {
  const now = megabytes(history.at(-1) ?? 0);
  const most = Math.max(...history, 0);
  const head = `throughput${GAP}`;
  const tail = `${GAP}${now} MB/s, at most ${megabytes(most)}`;
  const room = Math.max(0, columns - 1 - head.length - tail.length);
  const bars = history.slice(-room || history.length).map((rate) => {
    const level = most === 0 ? 0 : rate / most * (UP.length - 1);
    return UP[Math.round(level)];
  }).join("");
  return `${head}${GREEN}${bars}${PLAIN}${tail}`;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0);
}
