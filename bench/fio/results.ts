import { cellOf } from "./cells.ts";
import { serverNamed } from "./servers.ts";

/** One run of fio. */
export interface Sample {
  /** The cell's name. */
  readonly cell: string;
  /** The server's name. */
  readonly server: string;
  /** Requests a second, as the client counts them. */
  readonly iops: number;
  /** Bytes a second. */
  readonly bytesPerSecond: number;
  /** 99th percentile of the latency in microseconds. */
  readonly p99Us: number;
  /** CPU microseconds of the server a request; `null` for the file itself. */
  readonly serverUs: number | null;
}

/** The facts about the machine that the figures depend on. */
export interface Machine {
  readonly cpus: number;
  /** Whether it is a virtual machine, whose CPUs may be shared. */
  readonly isVirtual: boolean;
  /** `6.18`. */
  readonly kernel: string;
  readonly memoryGiB: number;
}

/** The settings of a measurement. */
export interface Settings {
  /** Seconds of a run that fio counts. */
  readonly runtimeS: number;
  /** Size of the image in bytes. */
  readonly size: number;
  /** The type of the file system that the image lies on. */
  readonly fileSystem: string;
}

/** The results of a measurement: what `--json` writes and `--from` reads. */
export interface Results {
  readonly format: typeof FORMAT;
  /** The day, `2030-01-31`. */
  readonly date: string;
  readonly machine: Machine;
  readonly settings: Settings;
  /** Versions by program: fio, deno, qemu and so on. */
  readonly versions: Readonly<Record<string, string>>;
  /** One sentence for everything that was left out or failed, and why. */
  readonly notes: readonly string[];
  readonly samples: readonly Sample[];
}

/** Identifies the files and the version of their format. */
export const FORMAT = "mqfuse-fio-2";

/**
 * Parses the text of a results file.
 *
 * @param text JSON.
 * @param name The file's name in error messages.
 * @throws {Error} If it is not such a file, or names an unknown cell or server.
 */
export function parseResults(text: string, name: string): Results {
  let results: Partial<Results>;
  try {
    results = JSON.parse(text);
  } catch (error) {
    throw new Error(`Cannot read ${name}: ${(error as Error).message}`);
  }
  if (results?.format !== FORMAT) {
    throw new Error(
      `Cannot read ${name}: it was not written by --json of this program`,
    );
  }
  for (const { cell, server } of results.samples ?? []) {
    cellOf(cell);
    serverNamed(server);
  }
  return results as Results;
}

/**
 * Merges measurements that were made in pieces on one machine.
 *
 * @param pieces At least one.
 * @throws {Error} If machine or settings differ.
 */
export function mergeResults(pieces: readonly Results[]): Results {
  const [first, ...others] = pieces;
  if (first === undefined) throw new Error("There are no results to merge");
  for (const { machine, settings } of others) {
    const same = JSON.stringify([machine, settings]) ===
      JSON.stringify([first.machine, first.settings]);
    if (same) continue;
    throw new Error(
      `Cannot merge results: ${JSON.stringify({ machine, settings })} is not ${
        JSON.stringify({ machine: first.machine, settings: first.settings })
      }; results of different machines or settings cannot be compared`,
    );
  }
  return {
    ...first,
    date: pieces.map(({ date }) => date).toSorted().at(-1)!,
    versions: Object.assign({}, ...pieces.map(({ versions }) => versions)),
    notes: [...new Set(pieces.flatMap(({ notes }) => notes))],
    samples: pieces.flatMap(({ samples }) => samples),
  };
}
