/**
 * Prints made-up statistics of a few intervals as `export --stats` does.
 *
 * @module
 */
import { Output } from "../../src/cli/output/output.ts";
import { StatsPrinter } from "../../src/cli/output/stats_printer.ts";
import {
  HISTOGRAM_LENGTH,
  observe,
  OPERATIONS,
} from "../../src/queue/latency.ts";

const histograms = [0, 1].map(() =>
  OPERATIONS.map(() => new Float64Array(HISTOGRAM_LENGTH))
);
const snapshot = (at: number) => ({
  at,
  histograms: histograms.map((row) => row.map((each) => each.slice())),
  bytesRead: 0,
  bytesSpliced: 0,
});
const output = new Output({ json: false, log: "text" });
const printer = new StatsPrinter(snapshot(0), output);
for (let second = 1; second <= 8; second++) {
  for (let i = 0; i < 3000 * second; i++) {
    observe(histograms[i % 4 === 0 ? 1 : 0]![0]!, 0.02, 4096);
  }
  observe(histograms[0]![2]!, 1, 0);
  printer.show(snapshot(1000 * second));
}
printer.finish();
await output.finish();
