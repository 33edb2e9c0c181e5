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
    const lines = this.#tell(stats, now, false);
    if (lines === null) return;
    const { columns } = output;
    if (output.live && columns >= NARROW_COLUMNS) {
      return output.redraw(statsScreen(stats, this.#history, columns));
    }
    const plain = output.live ? narrowLines(stats, columns) : lines;
    for (const line of plain) output.record(line, "stderr");
  }

  /** Prints what happened from the first snapshot to the last one. */
  finish(now: StatsSnapshot = this.#last): void {
    const stats = between(this.#start, now);
    if (this.#tell(stats, now, true) === null) return;
    const output = this.#output;
    const { columns } = output;
    output.say(`Over ${stats.seconds.toFixed(1)} s:`);
    const lines = output.live && columns < NARROW_COLUMNS
      ? narrowLines(stats, columns)
      : statsTable(stats);
    for (const line of lines) output.say(line);
    const { bytesRead, bytesSpliced } = now;
    if (bytesSpliced === 0) return;
    const [all, spliced] = [formatSize(bytesRead), formatSize(bytesSpliced)];
    output.say(`Of ${all} read, ${spliced} were spliced`);
  }

  /** Prints an event; the lines for people, `null` if there are none. */
  #tell(stats: Stats, now: StatsSnapshot, final: boolean): string[] | null {
    const { seconds, queues } = stats;
    const { bytesRead, bytesSpliced } = now;
    const kind = final ? "message" : "record";
    const fields = { final, seconds, queues, bytesRead, bytesSpliced };
    this.#output.event("stats", fields, kind);
    return this.#output.json ? null : statsLines(stats);
  }
}

function between(before: StatsSnapshot, after: StatsSnapshot): Stats {
  const seconds = (after.at - before.at) / MS_PER_S;
  return statsBetween(before.histograms, after.histograms, seconds);
}
