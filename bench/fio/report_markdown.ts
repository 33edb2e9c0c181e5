import type { Series, ServerKind } from "./servers.ts";
import { paragraph, table } from "./markdown_text.ts";
import type { Results } from "./results.ts";
import { median } from "./statistics.ts";
import {
  cellLabel,
  type CellSummary,
  compare,
  type Comparison,
  describe,
  formatRate,
  type Score,
  SECTIONS,
  type SectionSummary,
  seriesLabel,
  summarize,
} from "./summary.ts";

/** The series that the others are compared with. */
const BASELINE: Series = "qemu";

/**
 * The report as a Markdown document.
 *
 * @param results What was measured.
 * @param plot The path of the plot, relative to the document; `null` for none.
 */
export function markdownReport(results: Results, plot: string | null): string {
  const sections = summarize(results);
  return [
    "# Benchmarks",
    "",
    "Written by `deno task bench:fio`; do not edit.",
    "",
    ...paragraph(`${describe(results)} ${versionsLine(results)}`),
    "",
    ...plot === null ? [] : [
      `![Rates of every cell, the servers' bars side by side](${plot})`,
      "",
    ],
    ...paragraph(METHOD),
    "",
    ...notes(results),
    ...sections.flatMap((section) => sectionReport(section, results)),
  ].join("\n").trimEnd() + "\n";
}

function versionsLine({ versions, date }: Results): string {
  const list = Object.entries(versions).map(([name, version]) =>
    `${name} ${version}`
  );
  return `Measured on ${date} with ${list.join(", ")}.`;
}

const METHOD =
  "fio reads and writes the exported file with `--direct=1`: `aio` is libaio with 16 requests in flight, `sync` is pvsync2 with one, each in the given number of jobs. All servers of one kind of export are mounted at once; all are idle except the one being measured. Each round measures every server and begins with another one. mqfuse and QEMU read and write the image through the page cache. `q` is the number of queues, `t` of I/O threads. Server CPU is user and system time of the server's processes per request; the kernel's time on behalf of the client is not included.";

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
  return [
    `## ${title}`,
    "",
    ...paragraph(
      `Best variant of each, ${unit}${ratioWords(section, results)}:`,
    ),
    "",
    ...bestTable(section, results),
    "",
    ...costs(section, results),
    ...reach(section),
    ...scaling(section),
    "<details><summary>Every variant</summary>",
    "",
    ...details(section, unit),
    "</details>",
    "",
  ];
}

function ratioWords({ series }: SectionSummary, results: Results): string {
  return series.includes(BASELINE)
    ? `; in brackets the ratio to ${seriesLabel(BASELINE, results)}`
    : "";
}

function bestTable(section: SectionSummary, results: Results): string[] {
  const { series, cells } = section;
  const comparisons = new Map(
    series.map((each) => [each, compare(section, [each, BASELINE])]),
  );
  const rows = cells.map((summary) => [
    cellLabel(summary),
    ...series.map((each) => {
      const score = summary.best.get(each);
      if (score === undefined) return "";
      const { variant } = score.server;
      const ratio = each === BASELINE
        ? undefined
        : comparisons.get(each)!.ratios.get(summary.cell.name);
      return [
        `**${formatRate(score.rate.median)}**`,
        variant,
        ratio === undefined ? "" : `(${ratio.toFixed(2)})`,
      ].filter((part) => part !== "").join(" ");
    }),
  ]);
  const header = ["", ...series.map((each) => seriesLabel(each, results))];
  if (!series.includes(BASELINE)) return table([header, ...rows]);
  const row = (
    name: string,
    value: (comparison: Comparison) => number | null,
  ) => [
    name,
    ...series.map((each) => {
      const number = each === BASELINE ? null : value(comparisons.get(each)!);
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

/** Compares the CPU time of the best variants with the baseline's. */
function costs(section: SectionSummary, results: Results): string[] {
  const parts = section.series.flatMap((series) => {
    const { ratios, mean } = compare(
      section,
      [series, BASELINE],
      ({ serverUs }) => serverUs,
    );
    if (mean === null || series === BASELINE) return [];
    const [least, most] = [
      Math.min(...ratios.values()),
      Math.max(...ratios.values()),
    ];
    return [
      `${seriesLabel(series, results)} ${mean.toFixed(2)} times ` +
      `(${least.toFixed(2)} to ${most.toFixed(2)})`,
    ];
  });
  if (parts.length === 0) return [];
  const baseline = seriesLabel(BASELINE, results);
  return [
    ...paragraph(
      `Server CPU per request compared with ${baseline}, best variants, geometric mean: ${
        parts.join("; ")
      }.`,
    ),
    "",
  ];
}

/** Compares passthrough with the image file itself. */
function reach(section: SectionSummary): string[] {
  const { ratios } = compare(section, ["mqfuse-passthrough", "file"]);
  const parts = ["read", "write"].flatMap((direction) => {
    const own = section.cells.filter(({ cell }) =>
      cell.pattern.endsWith(direction) && ratios.has(cell.name)
    ).map(({ cell }) => ratios.get(cell.name)!);
    return own.length === 0 ? [] : [
      `${Math.min(...own).toFixed(2)} to ${Math.max(...own).toFixed(2)} of ` +
      `what the file itself does on ${direction}s`,
    ];
  });
  if (parts.length === 0) return [];
  return [...paragraph(`Passthrough does ${parts.join(", and ")}.`), ""];
}

/** Compares four queues with one, where both were measured. */
function scaling({ cells, section }: SectionSummary): string[] {
  if (section === "bandwidth") return [];
  const busy = cells.filter(({ cell }) =>
    cell.engine === "aio" && cell.jobs === 4
  );
  const lines = ["uring", "device"].flatMap((transport) => {
    const growth = busy.flatMap(({ scores }) => {
      const one = scores.get(`mqfuse-${transport}-q1`)?.rate.median;
      const four = scores.get(`mqfuse-${transport}-q4`)?.rate.median;
      return one === undefined || four === undefined ? [] : [four / one];
    });
    if (growth.length === 0) return [];
    const name = transport === "uring" ? "io_uring" : "/dev/fuse";
    return [
      `By ${name}, four queues do ${
        median(growth).toFixed(2)
      } times what one ` +
      `does (aio, 4 jobs; from ${Math.min(...growth).toFixed(2)} to ` +
      `${Math.max(...growth).toFixed(2)}).`,
    ];
  });
  return lines.length === 0 ? [] : [...paragraph(lines.join(" ")), ""];
}

function details(section: SectionSummary, unit: string): string[] {
  const columns: [title: string, text: (score: Score) => string][] = [
    [`${unit}, median (quartiles)`, rateText],
    ["Server CPU microseconds per request, median", cpuText],
    [
      "99th percentile of latency, microseconds, median",
      ({ p99Us }) => formatRate(p99Us),
    ],
  ];
  return columns.flatMap(([title, text]) => [
    `${title}:`,
    "",
    ...detailTable(section, text),
    "",
  ]);
}

function detailTable(
  { cells, servers }: SectionSummary,
  text: (score: Score) => string,
): string[] {
  const row = ({ scores }: CellSummary, { name }: ServerKind) => {
    const score = scores.get(name);
    return score === undefined ? "" : text(score);
  };
  return table([
    ["", ...servers.map(({ name }) => name)],
    ...cells.map((summary) => [
      cellLabel(summary),
      ...servers.map((server) => row(summary, server)),
    ]),
  ]);
}

function rateText({ rate }: Score): string {
  const [middle, low, high] = [rate.median, rate.low, rate.high]
    .map(formatRate);
  return rate.count === 1 ? middle! : `${middle} (${low}-${high})`;
}

function cpuText({ serverUs }: Score): string {
  return serverUs === null ? "" : serverUs.toFixed(1);
}
