import { assert, assertEquals } from "@std/assert";
import BENCHMARKS from "../../docs/benchmarks.md" with { type: "text" };
import PERFORMANCE from "../../docs/PERFORMANCE.md" with { type: "text" };

/** Where docs/benchmarks.md has what a row of docs/PERFORMANCE.md quotes. */
const QUOTED: Readonly<Record<string, [section: string, column: string]>> = {
  "null driver, /dev/fuse, default options": [
    "Null driver, 4 KiB",
    "mqfuse, default options",
  ],
  "null driver, /dev/fuse, best options": [
    "Null driver, 4 KiB",
    "mqfuse, best options",
  ],
  "null driver, io_uring, default options": [
    "Null driver, 4 KiB",
    "io_uring, default options",
  ],
  "raw file on tmpfs, default options": [
    "Raw file on tmpfs, 4 KiB",
    "mqfuse, default options",
  ],
  "raw file on tmpfs, passthrough": ["Raw file on tmpfs, 4 KiB", "passthrough"],
  "128 KiB to 1 MiB requests, default options": [
    "Sequential, raw file in the page cache",
    "mqfuse, default options",
  ],
  "qcow2 on tmpfs, default options": [
    "qcow2 on tmpfs, all clusters allocated, 4 KiB",
    "mqfuse, default options",
  ],
  "qcow2 on tmpfs, io_uring": [
    "qcow2 on tmpfs, all clusters allocated, 4 KiB",
    "io_uring, default options",
  ],
  "qcow2, tables four times the cache": [
    "qcow2 with tables four times the cache, 4 KiB",
    "mqfuse, default options",
  ],
  "qcow2, compressed (deflate)": [
    "qcow2 compressed by deflate, 4 KiB",
    "mqfuse, default options",
  ],
  "qcow2, compressed (zstd)": [
    "qcow2 compressed by zstd, 4 KiB",
    "mqfuse, default options",
  ],
  "qcow2, writes that allocate": [
    "qcow2, writes that allocate, 4 KiB",
    "mqfuse, default options",
  ],
  "qcow2, writes that allocate, io_uring": [
    "qcow2, writes that allocate, 4 KiB",
    "io_uring, default options",
  ],
  "the same over a backing file": [
    "qcow2, writes that allocate over a backing file, 4 KiB",
    "mqfuse, default options",
  ],
  "the same over a backing file, io_uring": [
    "qcow2, writes that allocate over a backing file, 4 KiB",
    "io_uring, default options",
  ],
};

/** Rows that quote other tables, or a run of their own. */
const OTHERS: readonly string[] = [
  "programs, default options",
  "programs, io_uring",
  "memory of an NBD server, default options",
  "memory of an NBD server, io_uring",
];

/** The cells of the rows of the first table of a section, without its line. */
function tableOf(page: string, heading: string): string[][] {
  const start = page.indexOf(`\n## ${heading}\n`);
  assert(start >= 0, `There is no section "${heading}"`);
  const table = /(?:^\|.*\n)+/m.exec(page.slice(start))![0];
  return table.trimEnd().split("\n")
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()))
    .filter(([first]) => !/^:?-+:?$/.test(first!));
}

function text(ratio: number): string {
  return ratio < 10 ? ratio.toFixed(2) : ratio.toPrecision(3);
}

/** The geometric mean of a column, and its least and largest ratio. */
function figuresOf(section: string, column: string): string[] {
  const [head, ...rows] = tableOf(BENCHMARKS, section);
  const at = head!.indexOf(column);
  assert(at > 0, `"${section}" has no column "${column}"`);
  const mean = rows.find(([name]) => name === "geometric mean of ratios")![at];
  const ratios = rows.flatMap((row) => /\((.*)\)/.exec(row[at]!)?.[1] ?? [])
    .map(Number);
  const [least, most] = [Math.min(...ratios), Math.max(...ratios)];
  return [text(Number(mean)), `${text(least)} to ${text(most)}`];
}

Deno.test("the speeds beside QEMU in docs/PERFORMANCE.md are those of docs/benchmarks.md", () => {
  const [, ...rows] = tableOf(PERFORMANCE, "Beside QEMU's FUSE export");
  const names = rows.map(([name]) => name!).filter((name) =>
    !OTHERS.includes(name)
  );
  assertEquals(names, Object.keys(QUOTED));
  const quotes = rows.filter(([name]) => name! in QUOTED);
  const figures = Object.entries(QUOTED).map(([name, place]) => [
    name,
    ...figuresOf(...place),
  ]);
  assertEquals(quotes, figures, "docs/PERFORMANCE.md has to quote anew");
});
