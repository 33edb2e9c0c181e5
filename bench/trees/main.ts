// deno-lint-ignore-file no-console -- a program: it talks to a terminal
/**
 * Measures a mirror of a directory beside libfuse's `passthrough_ll` and the
 * directory itself: metadata and data, interleaved.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { formatTable } from "../../src/cli/output/table.ts";
import { median } from "../report/statistics.ts";
import { writeWhole } from "../report/write_whole.ts";
import { Guard, quote } from "../servers/guard.ts";
import { rotate } from "../servers/rotate.ts";
import { bash, measureServer } from "./measure.ts";
import { PREPARE, type Row, ROWS } from "./rows.ts";
import { type TreeServer, treeServers } from "./servers.ts";

const HELP = `Usage: deno task bench:trees [OPTIONS]

Mounts a directory by 'mount mirror:' and by libfuse's passthrough_ll, and runs
programs and fio in both and in the directory itself. Each round takes all servers
in turn, each with a mount of its own. Prints medians of seconds, and ratios: above
1, the mirror is faster. Needs root, fio and git.

All cache attributes and names for a second, and what was read until the file is
opened again. The kernel checks permissions on a mirror, which costs a request after
each change of a directory; passthrough_ll is measured with and without that.

Options:
  --passthrough-ll PATH  the program: example/passthrough_ll.c of libfuse
  --directory DIR        where the tree is made (default: /dev/shm)
  --rounds N             measure each server N times (default: 3)
  --rows LIST            only rows whose names have one of these in them
  --servers LIST         only these servers
  --results FILE         add the results of earlier runs, and keep all there`;

/** Seconds of each round, by server and row. */
type Results = Record<string, Record<string, number[]>>;

const options = parseArgs(Deno.args, {
  string: [
    "passthrough-ll",
    "directory",
    "rounds",
    "rows",
    "servers",
    "results",
  ],
  boolean: ["help"],
  default: { directory: "/dev/shm", rounds: "3" },
});

if (options.help) console.log(HELP);
else await main();

async function main(): Promise<void> {
  const rows = chosen(ROWS, options.rows);
  const servers = chosen(
    treeServers({ passthroughLl: options["passthrough-ll"] ?? null }),
    options.servers,
  );
  const results = await readResults();
  await using guard = new Guard();
  const made = await Deno.makeTempDir({
    dir: options.directory,
    prefix: "mqfuse_trees_",
  });
  const directory = `${made}/host`;
  const mountpoint = `${made}/mnt`;
  const undo = `umount -l ${quote(mountpoint)}; rm -rf ${quote(made)}`;
  await guard.add(undo);
  for (const path of [directory, mountpoint]) await Deno.mkdir(path);
  await bash(directory, PREPARE);
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const server of rotate(servers, round)) {
      console.error(`Round ${round + 1}: ${server.name}`);
      const seconds = await measureServer(server, rows, directory, mountpoint);
      const all = results[server.name] ??= {};
      for (const [row, time] of seconds) (all[row] ??= []).push(time);
      keep(results);
    }
  }
  for (const line of report(rows, servers, results)) console.log(line);
}

/** Keeps all results, so that a run that is stopped has measured something. */
function keep(results: Results): void {
  if (options.results === undefined) return;
  writeWhole(options.results, JSON.stringify(results));
}

async function readResults(): Promise<Results> {
  if (options.results === undefined) return {};
  try {
    return JSON.parse(await Deno.readTextFile(options.results));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return {};
    throw error;
  }
}

function chosen<T extends Row | TreeServer>(
  all: readonly T[],
  list: string | undefined,
): T[] {
  const parts = list?.split(",");
  return all.filter(({ name }) =>
    parts === undefined || parts.some((part) => name.includes(part))
  );
}

function report(
  rows: readonly Row[],
  servers: readonly TreeServer[],
  results: Results,
): string[] {
  const time = (server: string, row: string) => {
    const times = results[server]?.[row];
    return times === undefined ? NaN : median(times);
  };
  const names = servers.map(({ name }) => name);
  const isMirror = (name: string) => name.startsWith("mirror");
  const pairs = names.filter(isMirror).flatMap((name) =>
    names.filter((other) => !isMirror(other)).map((other) =>
      [name, other] as const
    )
  );
  const ratio = ([name, other]: readonly [string, string], row: string) =>
    time(other, row) / time(name, row);
  const geometric = (pair: readonly [string, string]) =>
    Math.exp(
      rows.reduce((sum, { name }) => sum + Math.log(ratio(pair, name)), 0) /
        rows.length,
    );
  return formatTable([
    ["row", ...names, ...pairs.map(([name, other]) => `${name}/${other}`)],
    ...rows.map(({ name }) => [
      name,
      ...names.map((server) => time(server, name).toFixed(3)),
      ...pairs.map((pair) => ratio(pair, name).toFixed(2)),
    ]),
    [
      "geometric mean",
      ...names.map(() => ""),
      ...pairs.map((pair) => geometric(pair).toFixed(2)),
    ],
  ]);
}
