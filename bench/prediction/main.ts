// deno-lint-ignore-file no-console -- a program: it talks to a terminal
/**
 * Predicts throughput with many server threads: `deno task bench:predict`.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { calibrate } from "./calibrate.ts";
import { extrapolate, formatSeries } from "./extrapolate.ts";
import { formatCalibration, formatTable } from "./format.ts";
import { plotSvg } from "./plot.ts";
import { predictFigures } from "./predict.ts";

const HELP = `Usage: deno task bench:predict [OPTIONS]

Prints the 64 figures of the 2025 QEMU patch beside those of the model, then
how throughput grows with the number of queues.

  --json         Print each figure as a line of JSON, and nothing else
  --plot FILE    Also draw the growth with the number of queues, as SVG
  --cores N      CPUs for the growth with the number of queues; 128 if left out
  --calibrate    Fit the costs again, and print how each follows from a figure
  --help         Print this text`;

function main(args: readonly string[]): number {
  const options = parseArgs([...args], {
    boolean: ["json", "calibrate", "help"],
    string: ["plot", "cores"],
  });
  const cores = options.cores === undefined ? 128 : Number(options.cores);
  if (options._.length > 0 || !(cores >= 1) || !Number.isInteger(cores)) {
    console.error(HELP);
    return 2;
  }
  if (options.help) console.log(HELP);
  else if (options.calibrate) {
    console.log(formatCalibration(calibrate()).trimEnd());
  } else predict(options.json, cores, options.plot);
  return 0;
}

function predict(json: boolean, cores: number, plot?: string): void {
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

Deno.exitCode = main(Deno.args);
