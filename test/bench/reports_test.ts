import { assert, assertEquals, assertThrows } from "@std/assert";
import { CELLS } from "../../bench/fio/cells.ts";
import { markdownReport } from "../../bench/fio/report_markdown.ts";
import { svgReport } from "../../bench/fio/report_svg.ts";
import { terminalReport } from "../../bench/fio/report_terminal.ts";
import {
  mergeResults,
  parseResults,
  type Results,
} from "../../bench/fio/results.ts";
import { compare, summarize } from "../../bench/fio/summary.ts";
import TEXT from "./fixtures/results.json" with { type: "text" };

const RESULTS: Results = parseResults(TEXT, "results.json");

Deno.test("parseResults() refuses files that --json did not write", () => {
  for (const text of ["", "{}", "null", '{"format":"other"}']) {
    assertThrows(() => parseResults(text, "x.json"), Error, "Cannot read x");
  }
  const strange = TEXT.replaceAll("nbdfuse", "elsefuse");
  assertThrows(() => parseResults(strange, "x.json"), Error, "elsefuse");
});

Deno.test("summarize() finds the best variant of each series", () => {
  const [nothing] = summarize(RESULTS);
  const busy = nothing!.cells.find(({ cell }) =>
    cell.name === "null:randread:aio:4"
  )!;
  assertEquals(busy.best.get("mqfuse-uring")!.server.variant, "q4");
  assertEquals(busy.best.get("mqfuse-uring")!.rate.median, 360);
  assertEquals(busy.best.get("qemu")!.server.variant, "t2");
  assertEquals(busy.scores.get("qemu-t0")!.rate.median, 120);
  const { ratios, mean } = compare(nothing!, ["mqfuse-uring", "qemu"]);
  assertEquals(ratios.get("null:randread:aio:4"), 2);
  assertEquals(ratios.get("null:write:sync:1"), 1);
  assertEquals(mean!.toFixed(4), Math.SQRT2.toFixed(4));
});

Deno.test("summarize() counts 1 MiB requests in bytes", () => {
  const section = summarize(RESULTS).at(-1)!;
  assertEquals(section.section, "bandwidth");
  assertEquals(section.cells[0]!.best.get("file")!.rate.median, 5000);
});

Deno.test("the Markdown report has the figures and the ratios", () => {
  const report = markdownReport(RESULTS, "plot.svg");
  for (
    const words of [
      "2 vCPUs, 24 GiB of memory, Linux 6.18",
      "(plot.svg)",
      "**360** q4 (2.00)",
      "| geometric mean of ratios | 1.41 ",
      "| least ratio ",
      "By io_uring, four queues do 1.44 times what one does",
      "mqfuse, /dev/fuse 0.80 times (0.80 to 0.80)",
      "| randread aio, 4 jobs | 250 (245-255)",
      "- qemu-old was not found",
      "Passthrough does 0.95 to 0.95 of what the file itself does on reads.",
      "## Raw file, 1 MiB",
      "**4000** q4 (4.00)",
    ]
  ) assert(flat(report).includes(words), `${words} is not in:\n${report}`);
  assert(!markdownReport(RESULTS, null).includes("!["));
  assert(
    report.split("\n").every((line) => line.length <= 80 || line[0] === "|"),
  );
});

/** Paragraphs in one line each. */
function flat(text: string): string {
  return text.replaceAll(/(?<=\S)\n(?=\w)/g, " ");
}

Deno.test("the report on the terminal has a table per section, then the notes", () => {
  const lines = terminalReport(RESULTS);
  assert(
    lines.some((line) => /^randread aio, 4 jobs +360 q4 2.5us/.test(line)),
  );
  assert(lines.some((line) => /^to QEMU, geometric mean +x1.41/.test(line)));
  assertEquals(lines.at(-1), RESULTS.notes[0]);
  const nothing = terminalReport({ ...RESULTS, samples: [] });
  assertEquals(nothing, ["Nothing was measured.", "", ...RESULTS.notes]);
});

Deno.test("the plot has a panel per cell and a bar per series", () => {
  const plot = svgReport(RESULTS);
  const count = (what: RegExp) => [...plot.matchAll(what)].length;
  assert(!/<script|NaN|undefined|Infinity/.test(plot));
  const bars = summarize(RESULTS).flatMap(({ cells }) =>
    cells.map(({ best }) => best.size)
  ).reduce((sum, each) => sum + each);
  // The bars, one legend's square a series, the paper.
  assertEquals(count(/<rect /g), bars + 6 + 1);
  assertEquals(count(/>randread aio, 4 jobs</g), 1);
  assertEquals(count(/>QEMU 11.1.3</g), 1);
  assertEquals(count(/<(?:text|svg|style|title)[ >]/g), count(/<\/\w+>/g));
  assert(plot.includes("prefers-color-scheme:dark"));
});

Deno.test("the plot has room for every cell", () => {
  const samples = CELLS.flatMap(({ name }) =>
    RESULTS.samples.slice(0, 3).map((sample) => ({ ...sample, cell: name }))
  );
  const plot = svgReport({ ...RESULTS, samples });
  const height = Number(/viewBox="0 0 \d+ (\d+)"/.exec(plot)![1]);
  const lowest = Math.max(
    ...[...plot.matchAll(/ y="([\d.]+)"/g)].map(([, y]) => Number(y)),
  );
  assert(lowest < height, `${lowest} of ${height}`);
});

Deno.test("mergeResults() merges measurements of one machine", () => {
  const half = (name: string) => ({
    ...RESULTS,
    samples: RESULTS.samples.filter(({ cell }) => cell.startsWith(name)),
  });
  const merged = mergeResults(["null", "file", "bandwidth"].map(half));
  assertEquals(merged, RESULTS);
  const other = { ...RESULTS, machine: { ...RESULTS.machine, cpus: 4 } };
  assertThrows(() => mergeResults([RESULTS, other]), Error, '"cpus":4');
});
