import { cellOf } from "./cells.ts";
import { contestantOf } from "./contestants.ts";

/** One run of fio. */
export interface Sample {
  /** The cell's name. */
  readonly cell: string;
  /** The contestant's name. */
  readonly contestant: string;
  /** Requests a second, as the client counts them. */
  readonly iops: number;
  /** Bytes a second. */
  readonly bytesPerSecond: number;
  /** Microseconds that one request in a hundred took longer than. */
  readonly p99Us: number;
  /** CPU microseconds of the server a request; `null` without a server. */
  readonly serverUs: number | null;
}

/** The machine, by what matters to the figures and names nobody. */
export interface Machine {
  readonly cpus: number;
  /** Whether a hypervisor runs it, and shares its CPUs out. */
  readonly isVirtual: boolean;
  /** `6.18`. */
  readonly kernel: string;
  readonly memoryGiB: number;
}

/** How it was measured. */
export interface Settings {
  /** Seconds of a run that count. */
  readonly runtimeS: number;
  /** Bytes of the image. */
  readonly size: number;
  /** The type of the file system that the image lies on. */
  readonly fileSystem: string;
}

/** All that a measurement found: what `--json` writes and `--from` reads. */
export interface Results {
  readonly format: typeof FORMAT;
  /** The day, `2030-01-31`. */
  readonly date: string;
  readonly machine: Machine;
  readonly settings: Settings;
  /** Versions by program: fio, deno, qemu and so on. */
  readonly versions: Readonly<Record<string, string>>;
  /** Sentences: what was left out or failed, and why. */
  readonly notes: readonly string[];
  readonly samples: readonly Sample[];
}

/** Tells these files from other JSON, and from those of other layouts. */
export const FORMAT = "mqfuse-fio-1";

/**
 * Takes the text of a results file apart.
 *
 * @param text JSON.
 * @param name What the file is called in errors.
 * @throws {Error} If it is none, or names cells or contestants unknown here.
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
  for (const { cell, contestant } of results.samples ?? []) {
    cellOf(cell);
    contestantOf(contestant);
  }
  return results as Results;
}

/**
 * Puts measurements together that were made in pieces on one machine.
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
      }; figures of different machines or settings cannot be compared`,
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
