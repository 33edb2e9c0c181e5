import { parseArgs } from "@std/cli";
import { UsageError } from "../../src/cli/arguments/options.ts";
import type { OfflineOptions } from "./offline.ts";

/** What `--help` prints. */
export const HELP = `Usage: deno task bench:predict [OPTIONS]

Measures exports of a null image with one queue and one job (root, fio), predicts
those with two queues and four jobs from that, measures these too, and prints the
error of each cell. It does so over /dev/fuse and, where the kernel has it, over
FUSE over io_uring: then it writes Y to
/sys/module/fuse/parameters/enable_uring while it mounts, and restores what was
there, even if it is killed. It takes less than six minutes.

  --rounds N         Measure each cell N times; 5 if left out
  --runtime SECONDS  Length of a run of fio; 0.5 if left out
  --results FILE     Where the figures are kept;
                     /var/tmp/mqfuse-prediction.json if left out
  --report           Measure nothing, and report the figures of that file
  --help             Print this text

With --offline it measures nothing, and prints the 64 figures of the 2025 QEMU
patch beside those of a model that was fitted to half of them:

  --offline          Compare with the published figures
  --json             Print each figure as a line of JSON, and nothing else
  --plot FILE        Also draw the growth with the number of queues, as SVG
  --cores N          CPUs for that growth; 128 if left out
  --calibrate        Fit the costs again, and print how each follows`;

/** The options of a prediction for this machine. */
export interface MachineOptions {
  readonly rounds: number;
  /** Milliseconds of a run of fio. */
  readonly runtimeMs: number;
  /** The file of results. */
  readonly results: string;
  /** Whether nothing is measured. */
  readonly report: boolean;
}

/** What a command line asks for. */
export type PredictCommand =
  | { readonly kind: "help" }
  | { readonly kind: "offline"; readonly options: OfflineOptions }
  | { readonly kind: "machine"; readonly options: MachineOptions };

const OFFLINE = ["json", "plot", "cores", "calibrate"] as const;
const MACHINE = ["rounds", "runtime", "results", "report"] as const;

/**
 * Reads a command line.
 *
 * @throws {UsageError} If an option is unknown, out of place or wrong.
 */
export function readCommand(args: readonly string[]): PredictCommand {
  const given = parseArgs([...args], {
    boolean: ["offline", "json", "calibrate", "report", "help"],
    string: ["_", "plot", "cores", "rounds", "runtime", "results"],
    unknown: (arg) => {
      throw new UsageError(
        `Cannot use "${arg}": bench:predict has no such option`,
      );
    },
  });
  if (given.help) return { kind: "help" };
  const { offline } = given;
  for (const name of offline ? MACHINE : OFFLINE) {
    if (given[name] === undefined || given[name] === false) continue;
    const how = offline ? "leave out --offline" : "add --offline";
    throw new UsageError(`Cannot use --${name} so: ${how}`);
  }
  if (offline) {
    const { json, calibrate, plot } = given;
    const cores = positive("cores", given.cores, 128);
    if (!Number.isInteger(cores)) throw notPositive("cores", given.cores!);
    return { kind: "offline", options: { json, calibrate, plot, cores } };
  }
  return {
    kind: "machine",
    options: {
      rounds: Math.ceil(positive("rounds", given.rounds, 5)),
      runtimeMs: Math.round(1000 * positive("runtime", given.runtime, 0.5)),
      results: given.results ?? "/var/tmp/mqfuse-prediction.json",
      report: given.report,
    },
  };
}

function positive(
  name: string,
  text: string | undefined,
  otherwise: number,
): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (value > 0 && value < Infinity) return value;
  throw notPositive(name, text);
}

function notPositive(name: string, text: string): UsageError {
  const what = name === "runtime" ? "number" : "whole number";
  return new UsageError(
    `Cannot use --${name}=${text}: write a ${what} above 0`,
  );
}
