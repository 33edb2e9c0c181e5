// deno-lint-ignore-file no-console -- a program: it talks to a terminal
/**
 * Measures exports beside other programs: `deno task bench:exports`.
 *
 * @module
 */
import { onStopSignals } from "../../src/cli/service/stop_signals.ts";
import { runProgress } from "../report/progress.ts";
import { writeWhole } from "../report/write_whole.ts";
import { svgReport } from "../report/report_svg.ts";
import { Guard } from "../servers/guard.ts";
import {
  fileSystemOf,
  readEnvironment,
  thisMachine,
  versionsOf,
} from "../servers/machine.ts";
import { type Item, ITEMS } from "./items.ts";
import { measureAll } from "./measure_all.ts";
import { HELP, type Options, readOptions } from "./options.ts";
import { pick } from "./pick.ts";
import { markdownReport } from "./report_markdown.ts";
import { FORMAT, parseResults, type Results, resume } from "./results.ts";
import { terminalReport } from "./report_terminal.ts";

async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (options.help) {
    console.log(HELP.trimEnd());
    return 0;
  }
  if (options.report) {
    const text = await Deno.readTextFile(options.results);
    writeReports(
      remarked(parseResults(text, options.results), options),
      options,
    );
    return 0;
  }
  const stop = new AbortController();
  using _ = onStopSignals((signal) =>
    stop.abort(new Error(`The measurement was ended by ${signal}`))
  );
  const items = pick(ITEMS, options.only, "what is measured");
  const results = remarked(await resultsSoFar(options), options);
  const rest = items.filter(({ name }) => !results.done.includes(name));
  await measureRest(rest, results, options, stop.signal);
  writeReports(results, options);
  const left = items.filter(({ name }) => !results.done.includes(name));
  if (left.length === 0) return 0;
  const why = stop.signal.aborted
    ? stop.signal.reason.message
    : "The measurement was ended by the time limit";
  console.log(
    `${why}; the same command goes on with: ${
      left.map(({ name }) => name).join(",")
    }`,
  );
  return 1;
}

/** Results with the remark of the command line, if there is one. */
function remarked(results: Results, { remark }: Options): Results {
  return remark === undefined ? results : { ...results, remark };
}

/** The results of the file, or empty ones. */
async function resultsSoFar(options: Options): Promise<Results> {
  const { rounds, runtimeMs, size, directory, disk } = options;
  const fresh: Results = {
    format: FORMAT,
    date: new Date().toISOString().slice(0, 10),
    machine: thisMachine(),
    settings: {
      rounds,
      runtimeS: runtimeMs / 1000,
      size,
      fileSystem: fileSystemOf(await Deno.realPath(directory)),
      diskFileSystem: fileSystemOf(await Deno.realPath(disk)),
    },
    versions: await versionsOf(readEnvironment(options.peers).peers),
    notes: [],
    done: [],
    samples: [],
    runs: [],
    idle: [],
  };
  return resume(
    fresh,
    options.restart ? null : textOf(options.results),
    options.results,
  );
}

function textOf(path: string): string | null {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw new Error(`Cannot read ${path}: ${(error as Error).message}`);
  }
}

/** Measures, and writes the results after each item. */
async function measureRest(
  items: readonly Item[],
  results: Results,
  options: Options,
  signal: AbortSignal,
): Promise<void> {
  await using guard = new Guard();
  const progress = runProgress(items.length);
  try {
    await measureAll({
      items,
      options,
      environment: readEnvironment(options.peers),
      guard,
      signal,
      deadline: performance.now() + options.timeLimitMs,
      results,
      onRun: progress.doing,
      onItem: (name) => {
        results.done.push(name);
        progress.step();
        writeJson(results, options);
      },
    });
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await progress.stop();
    dropIncomplete(items, results);
    writeJson(results, options);
  }
}

/** Drops the figures of items that are not complete. */
function dropIncomplete(items: readonly Item[], results: Results): void {
  const names = new Set(
    items.map(({ name }) => name).filter((name) =>
      !results.done.includes(name)
    ),
  );
  const drop = <T>(figures: T[], nameOf: (figure: T) => string) => {
    const kept = figures.filter((figure) => !names.has(nameOf(figure)));
    figures.splice(0, figures.length, ...kept);
  };
  drop(results.samples, ({ cell }) => cell);
  drop(results.runs, ({ program }) => `programs:${program}`);
}

function writeReports(results: Results, options: Options): void {
  const { markdown, svg } = options;
  for (const line of terminalReport(results)) console.log(line);
  if (results.done.length === 0) return;
  if (svg !== undefined) writeWhole(svg, svgReport(results));
  if (markdown === undefined) return;
  const plot = svg?.split("/").at(-1) ?? null;
  writeWhole(markdown, markdownReport(results, plot));
}

function writeJson(results: Results, options: Options): void {
  writeWhole(options.results, `${JSON.stringify(results, null, 1)}\n`);
}

try {
  Deno.exit(await main(Deno.args));
} catch (error) {
  console.error(`bench:exports: ${(error as Error).message}`);
  Deno.exit(1);
}
