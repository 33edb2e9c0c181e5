import { parseArgs } from "@std/cli";
import { parseSize } from "../../src/backends/size.ts";
import { UsageError } from "../../src/cli/arguments/options.ts";
import type { Peer } from "./servers.ts";
import type { FioTimes } from "./fio.ts";

/** The options of a command line. */
export interface Options {
  readonly help: boolean;
  readonly rounds: number;
  readonly times: FioTimes;
  /** Names of cells, for `pick()`. */
  readonly cells: string | undefined;
  /** Names of servers. */
  readonly servers: string | undefined;
  /** Size of the image in bytes. */
  readonly size: number;
  /** Where the directory for the image is created. */
  readonly directory: string;
  /** Milliseconds after which no cell begins. */
  readonly timeLimitMs: number;
  /** Files of results to report instead of measuring. */
  readonly from: readonly string[];
  /** Paths of the reports. */
  readonly json: string | undefined;
  readonly markdown: string | undefined;
  readonly svg: string | undefined;
  readonly peers: Readonly<Partial<Record<Peer, string>>>;
}

/** What `--help` prints. */
export const HELP = `Usage: deno task bench:fio [OPTIONS]

Mounts exports, reads and writes them with fio, and compares them with other
programs and with the file itself, round by round. Needs root and fio. Changes
no setting of the system: FUSE over io_uring is measured if it is switched on.

Options:
  --cells FILTER        cells by name, separated by commas; a name may end at
                        a ":", and * matches any text: null:randread,
                        *:aio:4, bandwidth (default: all)
  --servers FILTER      servers, likewise: mqfuse, qemu-t2, file
  --rounds N            measure each server N times in each cell (default: 5)
  --runtime SECONDS     length of a measurement (default: 1.5)
  --quick               one round of 0.3 s; --rounds and --runtime override it
  --time-limit MINUTES  begin no cell after that
  --size SIZE           size of the image (default: 1G)
  --directory DIR       directory for the image (default: /dev/shm)
  --qemu PATH           qemu-storage-daemon (default: the one in PATH)
  --qemu-old PATH       an older qemu-storage-daemon to measure too
  --nbdfuse PATH        nbdfuse (default: the one in PATH)
  --nbdkit PATH         nbdkit (default: the one in PATH)
  --json FILE           write all results, after each cell
  --markdown FILE       write the report
  --svg FILE            write the report as a plot
  --from FILE           report the results in FILE, measure nothing; several
                        files are merged
  --help                print this text

Examples:
  deno task bench:fio --quick --cells null:randread --servers mqfuse
  deno task bench:fio --cells null --json null.json
  deno task bench:fio --from null.json --from file.json \\
    --markdown docs/benchmarks.md --svg docs/benchmarks.svg
`;

const VALUES = [
  "cells",
  "servers",
  "rounds",
  "runtime",
  "time-limit",
  "size",
  "directory",
  "qemu",
  "qemu-old",
  "nbdfuse",
  "nbdkit",
  "json",
  "markdown",
  "svg",
  "from",
] as const;

const PEERS: readonly Peer[] = ["qemu", "qemu-old", "nbdfuse", "nbdkit"];

const RAMP_MS = 300;
const QUICK_S = 0.3;

/**
 * Reads a command line.
 *
 * @param args The arguments, without the program's name.
 * @throws {UsageError} If an option is unknown or has a wrong value.
 */
export function readOptions(args: readonly string[]): Options {
  const given = parseArgs([...args], {
    string: ["_", ...VALUES],
    boolean: ["help", "quick"],
    collect: ["from"],
    alias: { help: "h" },
    unknown: (arg) => {
      throw new UsageError(`Cannot use ${arg}: --help lists the options`);
    },
  });
  for (const name of VALUES) {
    if ([given[name]].flat().some((value) => value === "")) {
      throw new UsageError(`Cannot use --${name} without a value`);
    }
  }
  const runtimeS = positive(given, "runtime", given.quick ? QUICK_S : 1.5);
  const minutes = positive(given, "time-limit", Infinity);
  return {
    help: given.help,
    rounds: Math.ceil(positive(given, "rounds", given.quick ? 1 : 5)),
    times: {
      runtimeMs: Math.round(runtimeS * 1000),
      rampMs: given.quick ? RAMP_MS / 3 : RAMP_MS,
    },
    cells: given.cells,
    servers: given.servers,
    size: sizeOf(given.size ?? "1G"),
    directory: given.directory ?? "/dev/shm",
    timeLimitMs: minutes * 60_000,
    from: given.from,
    json: given.json,
    markdown: given.markdown,
    svg: given.svg,
    peers: Object.fromEntries(PEERS.flatMap((peer) => {
      const path = given[peer];
      return path === undefined ? [] : [[peer, path]];
    })),
  };
}

function positive(
  given: Readonly<Record<string, unknown>>,
  name: string,
  otherwise: number,
): number {
  const text = given[name];
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (value > 0) return value;
  throw new UsageError(
    `Cannot use --${name}=${text}: write a number above 0`,
  );
}

function sizeOf(text: string): number {
  const size = parseSize(text);
  const MIB = 1 << 20;
  if (size >= MIB && size % MIB === 0) return size;
  throw new UsageError(
    `Cannot use --size=${text}: write whole MiB, such as 1G`,
  );
}
