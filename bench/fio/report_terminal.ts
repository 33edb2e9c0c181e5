import { formatTable } from "../../src/cli/output/table.ts";
import type { Results } from "./results.ts";
import {
  cellLabel,
  compare,
  describe,
  formatRate,
  type Score,
  SECTIONS,
  type SectionSummary,
  seriesLabel,
  summarize,
} from "./summary.ts";

/** The report for a terminal, as lines. */
export function terminalReport(results: Results): string[] {
  const sections = summarize(results);
  return [
    ...results.samples.length === 0
      ? ["Nothing was measured."]
      : [describe(results)],
    ...sections.flatMap((section) => [
      "",
      `${SECTIONS[section.section].title}: ${SECTIONS[section.section].unit}`,
      ...formatTable(sectionRows(section, results)),
    ]),
    ...results.notes.length === 0 ? [] : ["", ...results.notes],
  ];
}

function sectionRows(section: SectionSummary, results: Results): string[][] {
  const { series, cells } = section;
  const rows = cells.map((cell) => [
    cellLabel(cell),
    ...series.map((each) => {
      const score = cell.best.get(each);
      return score === undefined ? "-" : scoreText(score);
    }),
  ]);
  const header = [
    "best of each",
    ...series.map((each) => seriesLabel(each, results)),
  ];
  if (!series.includes("qemu")) return [header, ...rows];
  const means = series.map((each) => {
    const { mean } = compare(section, [each, "qemu"]);
    return mean === null ? "-" : `x${mean.toFixed(2)}`;
  });
  return [header, ...rows, ["to QEMU, geometric mean", ...means]];
}

/** `187 q2 3.1us`: rate, the best variant, the server's CPU a request. */
function scoreText({ rate, server, serverUs }: Score): string {
  const parts = [formatRate(rate.median), server.variant];
  if (serverUs !== null) parts.push(`${serverUs.toFixed(1)}us`);
  return parts.filter((part) => part !== "").join(" ");
}
