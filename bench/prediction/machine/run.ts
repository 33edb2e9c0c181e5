// deno-lint-ignore-file no-console -- a part of a program: it talks to a terminal
import { onStopSignals } from "../../../src/cli/service/stop_signals.ts";
import { withDirectory } from "../../exports/image.ts";
import { runProgress } from "../../report/progress.ts";
import { writeWhole } from "../../report/write_whole.ts";
import { Guard } from "../../servers/guard.ts";
import { readEnvironment, thisMachine } from "../../servers/machine.ts";
import type { MachineOptions } from "../options.ts";
import { cellsOf, type Transport } from "./cells.ts";
import { measureMachine } from "./measure.ts";
import { formatReport, predictCells } from "./report.ts";
import { FORMAT, type MachineResults, parseMachineResults } from "./results.ts";

/**
 * Measures this machine, or reads what was measured, and prints predicted beside
 * measured figures.
 *
 * @throws {Error} If it is cancelled, or something cannot be measured.
 */
export async function predictMachine(options: MachineOptions): Promise<void> {
  const { results: path, report } = options;
  if (!report) {
    const results = await measureHere(options);
    writeWhole(path, `${JSON.stringify(results, null, 1)}\n`);
  }
  const results = parseMachineResults(await Deno.readTextFile(path), path);
  for (const note of results.notes) console.log(note);
  console.log(formatReport(predictCells(results)));
  if (!report) console.log(`The figures are in ${path}`);
}

async function measureHere(
  { rounds, runtimeMs }: MachineOptions,
): Promise<MachineResults> {
  const machine = thisMachine();
  if (machine.cpus < 2) {
    throw new Error("Cannot measure two queues on a machine with one CPU");
  }
  const hasUring = readEnvironment({}).uring !== null;
  const transports: Transport[] = hasUring ? ["device", "uring"] : ["device"];
  const stop = new AbortController();
  using _ = onStopSignals((signal) =>
    stop.abort(new Error(`The measurement was ended by ${signal}`))
  );
  await using guard = new Guard();
  const cells = rounds * transports.flatMap(cellsOf).length;
  const progress = runProgress(cells);
  try {
    const runs = await withDirectory(
      "/dev/shm",
      guard,
      (directory) =>
        measureMachine({
          transports,
          rounds,
          runtimeMs,
          directory,
          guard,
          signal: stop.signal,
          onRun: progress.doing,
          onDone: progress.step,
        }),
    );
    return {
      format: FORMAT,
      date: new Date().toISOString().slice(0, 10),
      machine,
      runtimeS: runtimeMs / 1000,
      notes: hasUring
        ? []
        : ["io_uring was left out: this kernel has no FUSE over io_uring."],
      runs,
    };
  } finally {
    await progress.stop();
  }
}
