// deno-lint-ignore-file no-console -- a program: it talks to a terminal
/**
 * Measures exports with fio beside other programs: `deno task bench:fio`.
 *
 * @module
 */
import { onStopSignals } from "../../src/cli/service/stop_signals.ts";
import { CELLS, pick } from "./cells.ts";
import { type ServerKind, SERVERS } from "./servers.ts";
import {
  type Environment,
  fileSystemOf,
  readEnvironment,
  thisMachine,
  versionsOf,
  whyNot,
} from "./machine.ts";
import { HELP, type Options, readOptions } from "./options.ts";
import { runProgress } from "./progress.ts";
import { markdownReport } from "./report_markdown.ts";
import { svgReport } from "./report_svg.ts";
import { terminalReport } from "./report_terminal.ts";
import { FORMAT, mergeResults, parseResults, type Results } from "./results.ts";
import { countRuns, measure, type Plan } from "./rounds.ts";
import { withImage } from "./image.ts";

async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (options.help) {
    console.log(HELP.trimEnd());
    return 0;
  }
  if (options.from.length > 0) {
    const pieces = options.from.map((path) =>
      parseResults(Deno.readTextFileSync(path), path)
    );
    writeReports(mergeResults(pieces), options);
    return 0;
  }
  const stop = new AbortController();
  using _ = onStopSignals((signal) =>
    stop.abort(new Error(`The measurement was ended by ${signal}`))
  );
  const { results, rest } = await measureAll(options, stop.signal);
  writeReports(results, options);
  if (rest.length > 0) {
    const why = stop.signal.aborted
      ? stop.signal.reason.message
      : "The measurement was ended by the time limit";
    console.log(`${why}, before these: ${rest.join(",")}`);
  }
  return rest.length === 0 && results.samples.length > 0 ? 0 : 1;
}

/** The results, and the names of the cells that were not measured. */
interface Measured {
  readonly results: Results;
  readonly rest: readonly string[];
}

/** Measures until all cells are done, or until it is cancelled. */
async function measureAll(
  options: Options,
  signal: AbortSignal,
): Promise<Measured> {
  const cells = pick(CELLS, options.cells, "cells");
  const wanted = pick(SERVERS, options.servers, "servers")
    .filter(({ drivers }) =>
      cells.some((cell) => drivers.includes(cell.driver))
    );
  const environment = readEnvironment(options.peers);
  const { servers, notes } = available(wanted, environment);
  const { size, rounds, times, directory: parent } = options;
  return await withImage({ parent, size, cells, signal }, async (paths) => {
    const { peers } = environment;
    const plan: Plan = {
      cells,
      servers,
      rounds,
      times,
      setup: { image: paths.image, size, deno: Deno.execPath(), peers },
      directory: paths.directory,
      signal,
      deadline: performance.now() + options.timeLimitMs,
    };
    const samples: Results["samples"][number][] = [];
    const results: Results = {
      format: FORMAT,
      date: new Date().toISOString().slice(0, 10),
      machine: thisMachine(),
      settings: {
        runtimeS: times.runtimeMs / 1000,
        size,
        fileSystem: fileSystemOf(paths.directory),
      },
      versions: await versionsOf(servers, peers),
      notes,
      samples,
    };
    const rest = new Set(cells.map(({ name }) => name));
    const progress = runProgress(countRuns(plan));
    try {
      await measure(plan, {
        onRun: progress.doing,
        onSample: (sample) => {
          progress.step();
          if (sample !== null) samples.push(sample);
        },
        onCell: ({ name }) => {
          rest.delete(name);
          writeJson(results, options);
        },
        onNote: (note) => notes.push(note),
      });
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      await progress.stop();
    }
    return { results, rest: [...rest] };
  });
}

/** The servers that can be measured, and the reasons why others cannot. */
function available(
  wanted: readonly ServerKind[],
  environment: Environment,
): { servers: ServerKind[]; notes: string[] } {
  const reasons = new Map(
    wanted.map((each) => [each, whyNot(each, environment)]),
  );
  return {
    servers: wanted.filter((each) => reasons.get(each) === null),
    notes: [...new Set([...reasons.values()].filter((why) => why !== null))],
  };
}

function writeReports(results: Results, options: Options): void {
  const { markdown, svg } = options;
  for (const line of terminalReport(results)) console.log(line);
  writeJson(results, options);
  if (results.samples.length === 0) return;
  if (svg !== undefined) writeFile(svg, svgReport(results));
  if (markdown === undefined) return;
  const plot = svg?.split("/").at(-1) ?? null;
  writeFile(markdown, markdownReport(results, plot));
}

function writeJson(results: Results, { json }: Options): void {
  if (json === undefined) return;
  writeFile(json, `${JSON.stringify(results, null, 1)}\n`);
}

function writeFile(path: string, text: string): void {
  try {
    Deno.writeTextFileSync(path, text);
  } catch (error) {
    throw new Error(`Cannot write ${path}: ${(error as Error).message}`);
  }
}

try {
  Deno.exit(await main(Deno.args));
} catch (error) {
  console.error(`bench:fio: ${(error as Error).message}`);
  Deno.exit(1);
}
