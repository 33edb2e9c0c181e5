import { cellOf } from "../fio/cells.ts";
import type { Sample } from "../fio/sample.ts";
import { serverNamed } from "../fio/servers.ts";
import type { IdleResult } from "../idle/idle.ts";
import { programNamed } from "../programs/programs.ts";
import type { Run } from "../programs/run.ts";
import { contenderNamed } from "../programs/servers.ts";
import type { Machine } from "../servers/machine.ts";

/** The settings of a measurement. */
export interface Settings {
  /** How often each server is measured. */
  readonly rounds: number;
  /** Seconds of a run of fio. */
  readonly runtimeS: number;
  /** Size of fio's images in bytes. */
  readonly size: number;
  /** The file system of the images. */
  readonly fileSystem: string;
  /** The file system of the image of the section "disk". */
  readonly diskFileSystem: string;
}

/** The results of a measurement: what `--results` writes and reads. */
export interface Results {
  readonly format: typeof FORMAT;
  /** The day on which it began, `2030-01-31`. */
  readonly date: string;
  readonly machine: Machine;
  readonly settings: Settings;
  /** Versions by program: fio, deno, qemu and so on. */
  readonly versions: Record<string, string>;
  /** One sentence for everything that was left out or failed, and why. */
  readonly notes: string[];
  /** A sentence about how it was measured, if there is one. */
  readonly remark?: string;
  /** Names of the items that are complete. */
  readonly done: string[];
  readonly samples: Sample[];
  readonly runs: Run[];
  readonly idle: IdleResult[];
}

/** Identifies the files and the version of their format. */
export const FORMAT = "mqfuse-bench-1";

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
    throw new Error(`Cannot read ${name}: bench:exports did not write it`);
  }
  for (const { cell, server } of results.samples ?? []) {
    cellOf(cell);
    serverNamed(server);
  }
  for (const { program, server } of results.runs ?? []) {
    programNamed(program);
    contenderNamed(server);
  }
  return results as Results;
}

/**
 * Goes on with results that exist.
 *
 * @param fresh Results without figures.
 * @param old The text of the file, or `null` if there is none.
 * @param name The file's name in error messages.
 * @throws {Error} If they are of another machine, of other settings, or of other
 * versions.
 */
export function resume(
  fresh: Results,
  old: string | null,
  name: string,
): Results {
  if (old === null) return fresh;
  const results = parseResults(old, name);
  for (const field of ["machine", "settings"] as const) {
    const [was, is] = [results[field], fresh[field]].map((value) =>
      JSON.stringify(value)
    );
    if (was === is) continue;
    throw new Error(
      `Cannot go on with ${name}: its ${field} are ${was}, and now ${is}; begin anew with --restart, or give another file by --results`,
    );
  }
  Object.assign(results.versions, fresh.versions);
  return results;
}
