import { type Program, PROGRAMS } from "../programs/programs.ts";
import type { Run } from "../programs/run.ts";
import { CONTENDERS } from "../programs/servers.ts";
import { median, type Spread, spreadOf } from "./statistics.ts";

/** How long a program takes on one server. */
export interface Timing {
  /** Seconds. */
  readonly seconds: Spread;
  /** Median of the CPU seconds of the server. */
  readonly serverS: number;
}

/** How long a program takes. */
export interface ProgramSummary {
  readonly program: Program;
  /** By the server's name. */
  readonly timings: ReadonlyMap<string, Timing>;
  /** The shorter median of QEMU's; `null` without one. */
  readonly qemuS: number | null;
}

/** Summarizes runs: the programs that have any, in order. */
export function summarizePrograms(runs: readonly Run[]): ProgramSummary[] {
  return PROGRAMS.flatMap((program) => {
    const own = runs.filter((run) => run.program === program.name);
    if (own.length === 0) return [];
    const timings = new Map(
      [...Map.groupBy(own, ({ server }) => server)].map((
        [server, each],
      ) => [server, {
        seconds: spreadOf(each.map(({ seconds }) => seconds)),
        serverS: median(each.map(({ serverS }) => serverS)),
      }]),
    );
    const qemu = [...timings].filter(([name]) => name.startsWith("qemu"))
      .map(([, { seconds }]) => seconds.median);
    return [{
      program,
      timings,
      qemuS: qemu.length === 0 ? null : Math.min(...qemu),
    }];
  });
}

/**
 * How many times as fast as QEMU's faster export a server is, by the program's
 * name.
 */
export function speedsToQemu(
  summaries: readonly ProgramSummary[],
  server: string,
): Map<string, number> {
  return new Map(summaries.flatMap(({ program, timings, qemuS }) => {
    const timing = timings.get(server);
    return timing === undefined || qemuS === null
      ? []
      : [[program.name, qemuS / timing.seconds.median] as const];
  }));
}

/** The servers that have timings, in the order of the reports. */
export function contendersOf(
  summaries: readonly ProgramSummary[],
): typeof CONTENDERS {
  return CONTENDERS.filter(({ kind }) =>
    summaries.some(({ timings }) => timings.has(kind.name))
  );
}
