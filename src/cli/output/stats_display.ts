import { formatSize } from "../../backends/size.ts";
import { MS_PER_S } from "../../base/timespec.ts";
import type { QueueTotals } from "../../queue/queue_statistics.ts";
import type { Output } from "./output.ts";
import {
  type Histograms,
  type Stats,
  statsBetween,
  statsLines,
  statsTable,
} from "./stats.ts";

/** The source of the numbers. */
export interface StatsSource {
  /** Copies of the current histograms. */
  histograms(): Histograms;
  /** The totals of each queue so far. */
  stats(): readonly Pick<QueueTotals, "bytesRead" | "bytesSpliced">[];
}

/**
 * Prints statistics at intervals: a table that is redrawn in place on a
 * terminal, lines elsewhere, events with --json.
 */
export class StatsDisplay implements Disposable {
  readonly #source: StatsSource;
  readonly #output: Output;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #start = performance.now();
  #last: { readonly at: number; readonly histograms: Histograms };

  /** Starts to print every so many seconds. */
  constructor(source: StatsSource, output: Output, seconds: number) {
    this.#source = source;
    this.#output = output;
    this.#last = { at: this.#start, histograms: source.histograms() };
    this.#timer = setInterval(() => this.#show(), seconds * MS_PER_S);
  }

  /** Stops, and prints statistics from start to end. */
  finish(): void {
    clearInterval(this.#timer);
    const seconds = (performance.now() - this.#start) / MS_PER_S;
    const stats = statsBetween(null, this.#source.histograms(), seconds);
    this.#event(stats, true);
    if (this.#output.json) return;
    this.#output.say(`Over ${seconds.toFixed(1)} s:`);
    for (const line of statsTable(stats)) this.#output.say(line);
    const { bytesRead, bytesSpliced } = this.#totals();
    if (bytesSpliced === 0) return;
    this.#output.say(
      `Of ${formatSize(bytesRead)} read, ${
        formatSize(bytesSpliced)
      } were spliced`,
    );
  }

  /** Stops, and prints nothing. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #show(): void {
    const at = performance.now();
    const histograms = this.#source.histograms();
    const seconds = (at - this.#last.at) / MS_PER_S;
    const stats = statsBetween(this.#last.histograms, histograms, seconds);
    this.#last = { at, histograms };
    this.#event(stats, false);
    if (this.#output.json) return;
    if (this.#output.live) {
      this.#output.redraw(statsTable(stats));
      return;
    }
    for (const line of statsLines(stats)) this.#output.record(line, "stderr");
  }

  #event({ seconds, queues }: Stats, final: boolean): void {
    const kind = final ? "message" : "record";
    const fields = { final, seconds, queues, ...this.#totals() };
    this.#output.event("stats", fields, kind);
  }

  /** Bytes from the start on, of all queues. */
  #totals(): { readonly bytesRead: number; readonly bytesSpliced: number } {
    let [bytesRead, bytesSpliced] = [0, 0];
    for (const totals of this.#source.stats()) {
      bytesRead += totals.bytesRead;
      bytesSpliced += totals.bytesSpliced;
    }
    return { bytesRead, bytesSpliced };
  }
}
