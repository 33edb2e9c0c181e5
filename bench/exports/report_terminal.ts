import { formatTable } from "../../src/cli/output/table.ts";
import { labelOf } from "../fio/cells.ts";
import { SECTIONS } from "../fio/sections.ts";
import { columnTitle } from "../report/columns.ts";
import {
  contendersOf,
  type ProgramSummary,
  speedsToQemu,
  summarizePrograms,
} from "../report/program_summary.ts";
import { geometricMean } from "../report/statistics.ts";
import {
  compare,
  formatRate,
  type Score,
  type SectionSummary,
  summarize,
} from "../report/summary.ts";
import { targetRows } from "../report/target_rows.ts";
import { targetsOf } from "../report/targets.ts";
import { describe } from "./describe.ts";
import type { Results } from "./results.ts";

/** The report for a terminal, as lines. */
export function terminalReport(results: Results): string[] {
  if (results.done.length === 0) {
    return ["Nothing was measured.", "", ...results.notes];
  }
  const sections = summarize(results.samples);
  const programs = summarizePrograms(results.runs);
  const { idle } = results;
  return [
    describe(results),
    ...sections.flatMap((section) => [
      "",
      `${SECTIONS[section.section].title}: ${SECTIONS[section.section].unit}`,
      ...formatTable(sectionRows(section, results)),
    ]),
    ...programs.length === 0 ? [] : [
      "",
      "Programs: milliseconds",
      ...formatTable(programRows(programs)),
    ],
    "",
    ...formatTable(targetRows(targetsOf({ sections, programs, idle }))),
    ...results.notes.length === 0 ? [] : ["", ...results.notes],
  ];
}

function sectionRows(section: SectionSummary, results: Results): string[][] {
  const { columns, cells } = section;
  const rows = cells.map(({ cell, best }) => [
    labelOf(cell),
    ...columns.map((column) => {
      const score = best.get(column);
      return score === undefined ? "-" : scoreText(score);
    }),
  ]);
  const header = [
    "",
    ...columns.map((column) => columnTitle(column, results.versions)),
  ];
  if (!columns.includes("qemu")) return [header, ...rows];
  const means = columns.map((column) => {
    const { mean } = compare(cells, [column, "qemu"]);
    return mean === null ? "-" : `x${mean.toFixed(2)}`;
  });
  return [header, ...rows, ["to QEMU, geometric mean", ...means]];
}

/** `187 q2 3.1us`: rate, the options, the server's CPU a request. */
function scoreText({ rate, server, serverUs }: Score): string {
  const parts = [formatRate(rate.median), server.variant];
  if (serverUs !== null) parts.push(`${serverUs.toFixed(1)}us`);
  return parts.filter((part) => part !== "").join(" ");
}

function programRows(programs: readonly ProgramSummary[]): string[][] {
  const contenders = contendersOf(programs);
  return [
    ["", ...contenders.map(({ title }) => title)],
    ...programs.map(({ program, timings }) => [
      program.label,
      ...contenders.map(({ kind }) => {
        const timing = timings.get(kind.name);
        return timing === undefined
          ? "-"
          : (timing.seconds.median * 1000).toFixed(0);
      }),
    ]),
    [
      "speed to QEMU, geometric mean",
      ...contenders.map(({ kind }) => {
        const speeds = speedsToQemu(programs, kind.name);
        const mean = geometricMean([...speeds.values()]);
        return mean === null ? "-" : `x${mean.toFixed(2)}`;
      }),
    ],
  ];
}
