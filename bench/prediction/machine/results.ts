import type { Machine } from "../../servers/machine.ts";
import type { MachineCell } from "./cells.ts";

/** The figures of one run of fio on one cell. */
export interface MachineRun extends MachineCell {
  /** Requests a second. */
  readonly iops: number;
  /** CPU microseconds of fio a request. */
  readonly clientUs: number;
  /** CPU microseconds of the server a request. */
  readonly serverUs: number;
  /** How often fio's jobs slept or were preempted, a request. */
  readonly switches: number;
}

/** What `--results` writes and `--report` reads. */
export interface MachineResults {
  readonly format: typeof FORMAT;
  /** The day of the measurement, `2030-01-31`. */
  readonly date: string;
  readonly machine: Machine;
  /** Seconds of a run. */
  readonly runtimeS: number;
  /** What was left out, and why. */
  readonly notes: readonly string[];
  /** All runs, in the order in which they were measured. */
  readonly runs: readonly MachineRun[];
}

/** Identifies the files and the version of their format. */
export const FORMAT = "mqfuse-prediction-1";

/**
 * Parses the text of a results file.
 *
 * @param text JSON.
 * @param name The file's name in error messages.
 * @throws {Error} If it is not such a file.
 */
export function parseMachineResults(
  text: string,
  name: string,
): MachineResults {
  let results: Partial<MachineResults> | null;
  try {
    results = JSON.parse(text);
  } catch (error) {
    throw new Error(`Cannot read ${name}: ${(error as Error).message}`);
  }
  if (results?.format !== FORMAT) {
    throw new Error(`Cannot read ${name}: bench:predict did not write it`);
  }
  return results as MachineResults;
}
