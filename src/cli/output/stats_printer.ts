import { formatSize } from "../../backends/size.ts";
import { MS_PER_S } from "../../base/timespec.ts";
import type { Output } from "./output.ts";
import {
  type Histograms,
  type Stats,
  statsBetween,
  statsLines,
  statsTable,
} from "./stats.ts";
import {
  bytesPerSecond,
  NARROW_COLUMNS,
  narrowLines,
  statsScreen,
} from "./stats_screen.ts";

/** What an export has done until a moment. */
export interface StatsSnapshot {
  /** The moment, in milliseconds of a clock that only advances. */
  readonly at: number;
  /** Copies of the histograms. */
  readonly histograms: Histograms;
  /** Bytes that READs returned, of all queues. */
  readonly bytesRead: number;
  /** Bytes of these that were spliced. */
  readonly bytesSpliced: number;
}

/** Throughputs that are kept for the picture of the last minutes. */
const HISTORY_MAX = 512;

/**
 * Prints what happens between snapshots: a picture that is redrawn in place on a
 * terminal, lines elsewhere, events with --json.
 */
export class StatsPrinter {
  readonly #output: Output;
  readonly #start: StatsSnapshot;
  #last: StatsSnapshot;
  /** Bytes a second in each interval so far. */
  readonly #history: number[] = [];

  /**
   * Begins to count.
   *
   * @param start The first snapshot.
   */
  constructor(start: StatsSnapshot, output: Output) {
    this.#start = this.#last = start;
    this.#output = output;
  }

  /** Prints what happened since the last snapshot. */
  show(now: StatsSnapshot): void {
    const stats = between(this.#last, now);
    this.#last = now;
    this.#history.push(bytesPerSecond(stats));
    if (this.#history.length > HISTORY_MAX) this.#history.shift();
    const output = this.#output;
    const { columns } = output;
    if (output.live && !output.json && columns >= NARROW_COLUMNS) {
      return output.redraw(statsScreen(stats, this.#history, columns));
    }
    const lines = output.live ? narrowLines(stats, columns) : statsLines(stats);
    output.report("stats", fieldsOf(stats, now, false), lines, "record");
  }

  /** Prints what happened from the first snapshot to the last one. */
  finish(now: StatsSnapshot = this.#last): void {
    const stats = between(this.#start, now);
    const output = this.#output;
    const { columns } = output;
    const table = output.live && columns < NARROW_COLUMNS
      ? narrowLines(stats, columns)
      : statsTable(stats);
    output.report("stats", fieldsOf(stats, now, true), [
      `Over ${stats.seconds.toFixed(1)} s:`,
      ...table,
      ...splicedLines(now),
    ]);
  }
}

/** The fields of the event `stats`. */
function fieldsOf(
  { seconds, queues }: Stats,
  { bytesRead, bytesSpliced }: StatsSnapshot,
  final: boolean,
) {
  return { final, seconds, queues, bytesRead, bytesSpliced };
}

function splicedLines({ bytesRead, bytesSpliced }: StatsSnapshot): string[] {
  if (bytesSpliced === 0) return [];
  const [all, spliced] = [formatSize(bytesRead), formatSize(bytesSpliced)];
  return [`Of ${all} read, ${spliced} were spliced`];
}

function between(before: StatsSnapshot, after: StatsSnapshot): Stats {
  const seconds = (after.at - before.at) / MS_PER_S;
  return statsBetween(before.histograms, after.histograms, seconds);
}
