import { labelOf } from "../fio/cells.ts";
import { SECTIONS } from "../fio/sections.ts";
import { IDLE_QUEUES } from "../idle/idle.ts";
import { type Column, columnTitle } from "../report/columns.ts";
import { paragraph, table } from "../report/markdown_text.ts";
import { summarizePrograms } from "../report/program_summary.ts";
import {
  type CellSummary,
  compare,
  type Comparison,
  formatRate,
  type Score,
  type SectionSummary,
  summarize,
} from "../report/summary.ts";
import { targetRows } from "../report/target_rows.ts";
import { targetsOf } from "../report/targets.ts";
import type { ServerKind } from "../servers/servers.ts";
import { describe } from "./describe.ts";
import { programReport } from "./program_report.ts";
import type { Results } from "./results.ts";

/** The column that the others are compared with. */
const BASELINE: Column = "qemu";

/**
 * The report as a Markdown document.
 *
 * @param results What was measured.
 * @param plot The path of the plot, relative to the document; `null` for none.
 */
export function markdownReport(results: Results, plot: string | null): string {
  const sections = summarize(results.samples);
  const programs = summarizePrograms(results.runs);
  const { idle } = results;
  return [
    "# Benchmarks",
    "",
    "Written by `deno task bench:exports`; do not edit.",
    "",
    ...paragraph(`${describe(results)} ${versionsLine(results)}`),
    "",
    ...plot === null ? [] : [
      `![Rates of every cell, the servers' bars side by side](${plot})`,
      "",
    ],
    ...paragraph(METHOD),
    "",
    ...results.remark === undefined ? [] : [...paragraph(results.remark), ""],
    ...notes(results),
    "## Targets",
    "",
    ...table(targetRows(targetsOf({ sections, programs, idle }))),
    "",
    ...programReport(programs, results),
    ...sections.flatMap((section) => sectionReport(section, results)),
    ...idleReport(results),
    ...sections.length === 0 ? [] : allVariants(sections),
  ].join("\n").trimEnd() + "\n";
}

function versionsLine({ versions, date }: Results): string {
  const list = Object.entries(versions).map(([name, version]) =>
    `${name} ${version}`
  );
  return `Measured from ${date} on with ${list.join(", ")}.`;
}

const METHOD =
  "**Default options** are what users get without options where the kernel is set as it is shipped (enable_uring=N); the columns of **io_uring** are measured with enable_uring=Y. **Best options** are the fastest of the default and of 1, 2 and 4 queues (`q`) up to the number of CPUs. QEMU is growable, and the fastest of 0, 1, 2 and 4 I/O threads (`t`). In each cell two short runs choose: what comes within 5 % of the fastest of its kind is measured in full. fio opens the exported file with `--direct=1`: `aio` is libaio with 16 requests in flight, `sync` is pvsync2 with one, each in the given number of jobs. All servers of a section are mounted at once; all are idle except the one being measured. Each round measures every server and begins with another one. mqfuse and QEMU read and write the image through the page cache. Over NBD each server has an nbdkit of its own with a disk in memory, over a Unix socket, whose CPU does not count. Server CPU is user and system time of the server's processes per request; the kernel's time on behalf of the client is not included. Each server has a copy of its own of a qcow2 image, made by qemu-img with clusters of 64 KiB, or of 4 KiB where tables are four times as large as the cache that each server may have for them. For writes that allocate, a server starts with an empty image, warms up on the first quarter of the disk, and then writes to the middle of clusters of the rest, drawn at random, as often as it has clusters: 63 % of the writes allocate one; the backing file has all clusters.";

function notes({ notes }: Results): string[] {
  if (notes.length === 0) return [];
  return [
    "## Left out",
    "",
    ...notes.flatMap((note) => paragraph(note, "- ")),
    "",
  ];
}

function sectionReport(section: SectionSummary, results: Results): string[] {
  const { title, unit } = SECTIONS[section.section];
  const words = section.columns.includes(BASELINE)
    ? `; in brackets the ratio to ${columnTitle(BASELINE, results.versions)}`
    : "";
  return [
    `## ${title}`,
    "",
    ...paragraph(`Medians, ${unit}${words}:`),
    "",
    ...bestTable(section, results),
    "",
    ...costs(section, results),
  ];
}

function bestTable(section: SectionSummary, results: Results): string[] {
  const { columns, cells } = section;
  const comparisons = new Map(
    columns.map((column) => [column, compare(cells, [column, BASELINE])]),
  );
  const rows = cells.map(({ cell, best }) => [
    labelOf(cell),
    ...columns.map((column) => {
      const score = best.get(column);
      if (score === undefined) return "";
      const { variant } = score.server;
      const ratio = column === BASELINE
        ? undefined
        : comparisons.get(column)!.ratios.get(cell.name);
      return [
        formatRate(score.rate.median),
        variant,
        ratio === undefined ? "" : `(${ratio.toFixed(2)})`,
      ].filter((part) => part !== "").join(" ");
    }),
  ]);
  const header = [
    "",
    ...columns.map((column) => columnTitle(column, results.versions)),
  ];
  if (!columns.includes(BASELINE)) return table([header, ...rows]);
  const row = (
    name: string,
    value: (comparison: Comparison) => number | null,
  ) => [
    name,
    ...columns.map((column) => {
      const number = column === BASELINE
        ? null
        : value(comparisons.get(column)!);
      return number === null ? "" : number.toFixed(2);
    }),
  ];
  return table([
    header,
    ...rows,
    row("geometric mean of ratios", ({ mean }) => mean),
    row(
      "least ratio",
      ({ ratios }) => ratios.size === 0 ? null : Math.min(...ratios.values()),
    ),
  ]);
}

/** Compares the servers' CPU time with the baseline's. */
function costs(
  { columns, cells }: SectionSummary,
  { versions }: Results,
): string[] {
  const parts = columns.flatMap((column) => {
    const { ratios, mean } = compare(
      cells,
      [column, BASELINE],
      ({ serverUs }) => serverUs,
    );
    if (mean === null || column === BASELINE) return [];
    const [least, most] = [
      Math.min(...ratios.values()),
      Math.max(...ratios.values()),
    ];
    return [
      `${columnTitle(column, versions)} ${mean.toFixed(2)} times ` +
      `(${least.toFixed(2)} to ${most.toFixed(2)})`,
    ];
  });
  if (parts.length === 0) return [];
  return [
    ...paragraph(
      `Server CPU per request compared with ${
        columnTitle(BASELINE, versions)
      }, geometric mean: ${parts.join("; ")}.`,
    ),
    "",
  ];
}

function idleReport({ idle }: Results): string[] {
  if (idle.length === 0) return [];
  const parts = idle.map(({ cell, share }) =>
    `${(100 * share).toFixed(3)} % of a CPU with enable_uring=${
      cell.at(-1)!.toUpperCase()
    }`
  );
  return [
    "## Idle",
    "",
    ...paragraph(
      `An export with ${IDLE_QUEUES} queues that has nothing to do uses ${
        parts.join(", and ")
      }.`,
    ),
    "",
  ];
}

function allVariants(sections: readonly SectionSummary[]): string[] {
  return [
    "<details><summary>Every server</summary>",
    "",
    ...sections.flatMap((section) => details(section)),
    "</details>",
    "",
  ];
}

function details(section: SectionSummary): string[] {
  const { title, unit } = SECTIONS[section.section];
  return [
    ...paragraph(
      `${title}: ${unit}, median (quartiles); server CPU microseconds per request; 99th percentile of latency in microseconds:`,
    ),
    "",
    ...detailTable(section),
    "",
  ];
}

function detailTable({ cells, servers }: SectionSummary): string[] {
  const entry = ({ scores }: CellSummary, { name }: ServerKind) => {
    const score = scores.get(name);
    return score === undefined ? "" : scoreText(score);
  };
  return table([
    ["", ...servers.map(({ name }) => name)],
    ...cells.map((summary) => [
      labelOf(summary.cell),
      ...servers.map((server) => entry(summary, server)),
    ]),
  ]);
}

function scoreText({ rate, serverUs, p99Us }: Score): string {
  const [middle, low, high] = [rate.median, rate.low, rate.high]
    .map(formatRate);
  const spread = rate.count === 1 ? middle! : `${middle} (${low}-${high})`;
  const cpu = serverUs === null ? "-" : serverUs.toFixed(1);
  return `${spread}; ${cpu}; ${formatRate(p99Us)}`;
}
