import { MS_PER_S } from "../../base/timespec.ts";
import type { QueueTotals } from "../../queue/queue_statistics.ts";
import type { Output } from "./output.ts";
import type { Histograms } from "./stats.ts";
import { StatsPrinter, type StatsSnapshot } from "./stats_printer.ts";

/** The source of the numbers. */
export interface StatsSource {
  /** Copies of the current histograms. */
  histograms(): Histograms;
  /** The totals of each queue so far. */
  stats(): readonly Pick<QueueTotals, "bytesRead" | "bytesSpliced">[];
}

/** What a source has done until now. */
export function snapshotOf(source: StatsSource): StatsSnapshot {
  const totals = source.stats();
  return {
    at: performance.now(),
    histograms: source.histograms(),
    bytesRead: totals.reduce((sum, { bytesRead }) => sum + bytesRead, 0),
    bytesSpliced: totals.reduce(
      (sum, { bytesSpliced }) => sum + bytesSpliced,
      0,
    ),
  };
}

/** Prints the statistics of an export of this process at intervals. */
export class StatsDisplay implements Disposable {
  readonly #source: StatsSource;
  readonly #printer: StatsPrinter;
  readonly #timer: ReturnType<typeof setInterval>;

  /** Starts to print every so many seconds. */
  constructor(source: StatsSource, output: Output, seconds: number) {
    this.#source = source;
    // What it has done before counts too.
    const start = { ...snapshotOf(source), histograms: [] };
    this.#printer = new StatsPrinter(start, output);
    const show = () => this.#printer.show(snapshotOf(source));
    this.#timer = setInterval(show, seconds * MS_PER_S);
  }

  /** Stops, and prints statistics from start to end. */
  finish(): void {
    clearInterval(this.#timer);
    this.#printer.finish(snapshotOf(this.#source));
  }

  /** Stops, and prints nothing. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
