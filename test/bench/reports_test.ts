import { assert, assertEquals, assertThrows } from "@std/assert";
import { readOptions } from "../../bench/exports/options.ts";
import { markdownReport } from "../../bench/exports/report_markdown.ts";
import { terminalReport } from "../../bench/exports/report_terminal.ts";
import { parseResults, resume } from "../../bench/exports/results.ts";
import { CELLS } from "../../bench/fio/cells.ts";
import { svgReport } from "../../bench/report/report_svg.ts";
import { compare, summarize } from "../../bench/report/summary.ts";
import { RESULTS, samples } from "./_results.ts";

const EMPTY = { ...RESULTS, done: [], samples: [], runs: [], idle: [] };

Deno.test("parseResults() refuses files that this program did not write", () => {
  for (const text of ["", "{}", "null", '{"format":"other"}']) {
    assertThrows(() => parseResults(text, "x.json"), Error, "Cannot read x");
  }
  const text = JSON.stringify(RESULTS);
  assertEquals(parseResults(text, "x.json"), RESULTS);
  for (const name of ["qemu-t2", "null:write:sync:1", "dd-read"]) {
    const strange = text.replaceAll(name, "elsewhat");
    assertThrows(() => parseResults(strange, "x.json"), Error, "elsewhat");
  }
});

Deno.test("resume() goes on with results of the same machine and settings", () => {
  assertEquals(resume(EMPTY, null, "x.json"), EMPTY);
  const text = JSON.stringify(RESULTS);
  assertEquals(resume(EMPTY, text, "x.json").done, RESULTS.done);
  const other = { ...EMPTY, machine: { ...EMPTY.machine, cpus: 4 } };
  assertThrows(() => resume(other, text, "x.json"), Error, '"cpus":4');
  const longer = { ...EMPTY, settings: { ...EMPTY.settings, runtimeS: 2 } };
  assertThrows(() => resume(longer, text, "x.json"), Error, "--restart");
});

Deno.test("summarize() finds the fastest server of each column", () => {
  const [nothing] = summarize(RESULTS.samples);
  const busy = nothing!.cells.find(({ cell }) =>
    cell.name === "null:randread:aio:4"
  )!;
  assertEquals(busy.best.get("mqfuse-n")!.rate.median, 240);
  assertEquals(busy.best.get("mqfuse-n-best")!.server.variant, "q1");
  assertEquals(busy.best.get("mqfuse-n-best")!.rate.median, 300);
  assertEquals(busy.best.get("qemu")!.server.variant, "t2");
  assertEquals(busy.scores.get("qemu-t0")!.rate.median, 120);
  const { ratios, mean } = compare(nothing!.cells, ["mqfuse-n-best", "qemu"]);
  assertEquals(ratios.get("null:write:sync:1"), 1);
  assertEquals(mean!.toFixed(4), Math.sqrt(300 / 180).toFixed(4));
});

Deno.test("summarize() counts sequential requests in bytes", () => {
  const section = summarize(RESULTS.samples).at(-1)!;
  assertEquals(section.section, "sequential");
  assertEquals(section.cells[0]!.best.get("file")!.rate.median, 5000);
});

Deno.test("the Markdown report has the figures and the ratios", () => {
  const report = markdownReport(RESULTS, "plot.svg");
  for (
    const words of [
      "2 vCPUs, 24 GiB of memory, Linux 6.18",
      "images of 1 GiB on tmpfs and ext4",
      "(plot.svg)",
      "| 240 (1.33) ",
      "| 300 q1 (1.67) ",
      "| geometric mean of ratios | 1.15 ",
      "| least ratio ",
      "io_uring, default options 0.25 times (0.25 to 0.25)",
      "- nbdfuse was not found",
      "## Sequential, raw file in the page cache",
      "| 4000 (4.00) ",
      "| mkfs.ext4        | 100 (90-120) / 10 (0.80) ",
      "uses 0.050 % of a CPU with enable_uring=N",
      "240 (228-264); 3.0; 200",
    ]
  ) assert(flat(report).includes(words), `${words} is not in:\n${report}`);
  assert(!markdownReport(RESULTS, null).includes("!["));
  assert(
    report.split("\n").every((line) => line.length <= 80 || line[0] === "|"),
  );
});

Deno.test("the Markdown report has the remark of the command line", () => {
  const { remark } = readOptions(["--remark", "Others used a third of it."]);
  const report = flat(markdownReport({ ...RESULTS, remark: remark! }, null));
  assert(report.includes("\n\nOthers used a third of it.\n\n"), report);
  assertEquals(readOptions([]).remark, undefined);
});

/** Paragraphs in one line each. */
function flat(text: string): string {
  return text.replaceAll(/(?<=\S)\n(?=\w)/g, " ");
}

Deno.test("the report says which targets are met, missed or not measured", () => {
  const lines = markdownReport(RESULTS, null).split("\n");
  const verdictOf = (words: string) =>
    lines.find((line) => line.startsWith(`| ${words}`))!
      .split("|").map((cell) => cell.trim()).slice(2, -1);
  assertEquals(verdictOf("null, default options: geometric mean"), [
    "at least 1.3",
    "1.15",
    "missed",
  ]);
  assertEquals(verdictOf("null, best options: each cell"), [
    "at least 1",
    "1.00 (null:write:sync:1)",
    "met",
  ]);
  assertEquals(verdictOf("tmpfs, default options"), [
    "at least 2.8",
    "-",
    "not measured",
  ]);
  assertEquals(verdictOf("programs, default options: each program"), [
    "at least 1",
    "0.80 (mkfs)",
    "missed",
  ]);
  assertEquals(verdictOf("CPU of 64 idle queues, enable_uring=N")[2], "met");
  assertEquals(verdictOf("CPU of 64 idle queues, enable_uring=Y")[2], "missed");
});

Deno.test("the report on the terminal has a table per section, then the notes", () => {
  const lines = terminalReport(RESULTS);
  assert(
    lines.some((line) =>
      /^randread aio, 4 jobs +240 3.0us +300 q1 3.0us/.test(line)
    ),
    lines.join("\n"),
  );
  assert(lines.some((line) => /^mkfs.ext4 +100 +80 +200$/.test(line)));
  assert(lines.some((line) => /^speed to QEMU.* +x1.79/.test(line)));
  assertEquals(lines.at(-1), RESULTS.notes[0]);
  assertEquals(terminalReport(EMPTY), [
    "Nothing was measured.",
    "",
    ...RESULTS.notes,
  ]);
});

Deno.test("the plot has a panel per cell and a bar per column", () => {
  const plot = svgReport(RESULTS);
  const count = (what: RegExp) => [...plot.matchAll(what)].length;
  assert(!/<script|NaN|undefined|Infinity/.test(plot));
  const bars = summarize(RESULTS.samples).flatMap(({ cells }) =>
    cells.map(({ best }) => best.size)
  ).reduce((sum, each) => sum + each);
  // The bars, one legend's square a column, the paper.
  assertEquals(count(/<rect /g), bars + 6 + 1);
  assertEquals(count(/>randread aio, 4 jobs</g), 1);
  assertEquals(count(/>QEMU 11.1.3</g), 1);
  assertEquals(count(/<(?:text|svg|style|title)[ >]/g), count(/<\/\w+>/g));
  assert(plot.includes("prefers-color-scheme:dark"));
});

Deno.test("the plot has room for every cell", () => {
  const plot = svgReport({
    ...RESULTS,
    samples: CELLS.flatMap(({ name }) => samples(name, "mqfuse-n", 100)),
  });
  const height = Number(/viewBox="0 0 \d+ (\d+)"/.exec(plot)![1]);
  const lowest = Math.max(
    ...[...plot.matchAll(/ y="([\d.]+)"/g)].map(([, y]) => Number(y)),
  );
  assert(lowest < height, `${lowest} of ${height}`);
});
