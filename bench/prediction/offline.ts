// deno-lint-ignore-file no-console -- a part of a program: it talks to a terminal
import { calibrate } from "./calibrate.ts";
import { extrapolate, formatSeries } from "./extrapolate.ts";
import { formatCalibration, formatTable } from "./format.ts";
import { plotSvg } from "./plot.ts";
import { predictFigures } from "./predict.ts";

/** What {@linkcode predictOffline} prints. */
export interface OfflineOptions {
  /** Whether to print each figure as a line of JSON, and nothing else. */
  readonly json: boolean;
  /** Whether to fit the costs again, and print only that. */
  readonly calibrate: boolean;
  /** CPUs for the growth with the number of queues. */
  readonly cores: number;
  /** Where that is drawn as SVG, if anywhere. */
  readonly plot: string | undefined;
}

/** Compares the model with the 2025 QEMU patch; measures nothing. */
export function predictOffline(options: OfflineOptions): void {
  const { json, cores, plot } = options;
  if (options.calibrate) {
    return console.log(formatCalibration(calibrate()).trimEnd());
  }
  const figures = predictFigures();
  if (json) {
    for (const figure of figures) console.log(JSON.stringify(figure));
  } else console.log(formatTable(figures));
  if (json && plot === undefined) return;
  const series = extrapolate({ cores });
  if (!json) {
    console.log("thousand requests a second: null disk, random reads, 4 jobs");
    console.log(formatSeries(series).trimEnd());
  }
  if (plot !== undefined) Deno.writeTextFileSync(plot, plotSvg(series));
}
