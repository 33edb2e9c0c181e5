// deno-lint-ignore-file no-console -- a program: it talks to a terminal
/**
 * Measures `convert` beside `qemu-img convert`: `deno task bench:convert --help`.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { parseSize } from "../../src/backends/size.ts";
import { formatTable } from "../../src/cli/output/table.ts";
import { median, spreadOf } from "../report/statistics.ts";
import { Guard, quote } from "../servers/guard.ts";
import { rotate } from "../servers/rotate.ts";
import { type Cell, CELLS, type Converter, convertersOf } from "./cells.ts";
import { makeSources } from "./make_sources.ts";
import { run } from "./run.ts";

const HELP = `Usage: deno task bench:convert [OPTIONS]

Converts images by 'convert' and by 'qemu-img convert' with -m 1, 2, 4 and 8, with
and without -W. The first round takes all of them, the others take convert and the
two ways of qemu-img that were fastest then. A conversion before the first round is
not counted. Prints seconds: the median, and the quartiles in brackets. Ratios above
1: convert is faster.

Options:
  --directory DIR  where the images are made (default: /dev/shm)
  --size SIZE      of the disk (default: 1G)
  --files SIZE     of the disk that is compressed (default: 256M)
  --rounds N       how often each is measured (default: 7)
  --cells LIST     only conversions whose names have one of these in them
  --program PATH   the program in one file, or main.ts (default: built first)`;

/** The fastest ways of qemu-img that are measured again. */
const FASTEST = 2;

/** Seconds of each round, by converter. */
type Times = Map<Converter, number[]>;

const options = parseArgs(Deno.args, {
  string: ["directory", "size", "files", "rounds", "cells", "program"],
  boolean: ["help"],
  default: {
    directory: "/dev/shm",
    size: "1G",
    files: "256M",
    rounds: "7",
  },
});

if (options.help) console.log(HELP);
else await main();

async function main(): Promise<void> {
  const parts = options.cells?.split(",");
  const cells = CELLS.filter(({ name }) =>
    parts === undefined || parts.some((part) => name.includes(part))
  );
  await using guard = new Guard();
  const directory = await Deno.makeTempDir({
    dir: options.directory,
    prefix: "mqfuse_convert_",
  });
  await guard.add(`rm -rf ${quote(directory)}`);
  const { program } = options;
  const converters = convertersOf(
    program === undefined
      ? await built(directory)
      : await Deno.realPath(program),
  );
  const rows: string[][] = [];
  for (const cell of cells) {
    // One source at a time, for machines with little memory.
    await makeSources(directory, new Set([cell.source]), {
      size: parseSize(options.size),
      files: parseSize(options.files),
    });
    rows.push(rowOf(cell, await measure(directory, cell, converters)));
    await Deno.remove(`${directory}/${cell.source}`);
  }
  const head = ["conversion", "convert (s)", "qemu-img (s)", "with", "ratio"];
  for (const line of formatTable([head, ...rows])) console.log(line);
}

/** The program as users install it: one file. */
async function built(directory: string): Promise<string> {
  const path = `${directory}/mqfuse.js`;
  const bundle = ["bundle", "--quiet", "--platform", "deno", "-o", path];
  // In the directory of deno.json.
  const project = new URL("../../", import.meta.url).pathname;
  await run(project, [Deno.execPath(), ...bundle, "main.ts"]);
  return path;
}

async function measure(
  directory: string,
  cell: Cell,
  converters: readonly Converter[],
): Promise<Times> {
  const times: Times = new Map();
  const target = `target.${cell.format}`;
  let taking = converters;
  // Deno keeps compiled code, and a virtual machine gets its memory, at first use.
  await run(directory, converters[0]!.command(cell, target));
  await Deno.remove(`${directory}/${target}`);
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const converter of rotate(taking, round)) {
      console.error(`${cell.name}, round ${round + 1}: ${converter.name}`);
      const command = converter.command(cell, target);
      const seconds = await run(directory, command);
      times.set(converter, [...times.get(converter) ?? [], seconds]);
      await Deno.remove(`${directory}/${target}`);
    }
    if (round === 0) {
      const others = fastestFirst(times).filter(({ isOurs }) => !isOurs);
      const ours = converters.filter(({ isOurs }) => isOurs);
      taking = [...ours, ...others.slice(0, FASTEST)];
      for (const other of others.slice(FASTEST)) times.delete(other);
    }
  }
  return times;
}

function fastestFirst(times: Times): Converter[] {
  const of = (converter: Converter) => median(times.get(converter)!);
  return [...times.keys()].toSorted((a, b) => of(a) - of(b));
}

function rowOf({ name }: Cell, times: Times): string[] {
  const sorted = fastestFirst(times);
  const ours = times.get(sorted.find(({ isOurs }) => isOurs)!)!;
  const best = sorted.find(({ isOurs }) => !isOurs)!;
  const theirs = times.get(best)!;
  const ratio = median(theirs) / median(ours);
  return [name, show(ours), show(theirs), best.name, ratio.toFixed(2)];
}

function show(values: readonly number[]): string {
  const { median, low, high } = spreadOf(values);
  return `${median.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`;
}
