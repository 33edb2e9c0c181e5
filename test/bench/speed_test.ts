import { assert, assertEquals, assertThrows } from "@std/assert";
import { speedFigure } from "../../bench/report/speed_svg.ts";
import { readSpeeds } from "../../bench/report/speed_table.ts";
import { speedDocument } from "../../docs/generate_speed.ts";
import written from "../../docs/speed.svg" with { type: "text" };

const REPORT = `# B

## Raw

| | mqfuse, default options | mqfuse, best options | passthrough | QEMU 1 | x | the file itself |
| - | - | - | - | - | - | - |
| read, 1 | 5.5 (2.0) | 6 q2 (1.8) | **40** (9) | 3 t1 | 9 | 44 (8) |
| read, 2 | 7 | 8 |  | 1 | 9 |  |
| geometric mean of ratios | 2.4 | 1.8 |

## Other

| x | y |
`;

Deno.test("readSpeeds() reads the rates of a section", () => {
  assertEquals(readSpeeds(REPORT, "Raw"), [
    {
      label: "read, 1",
      rates: { mqfuse: 5.5, passthrough: 40, QEMU: 3, file: 44 },
    },
    { label: "read, 2", rates: { mqfuse: 7, QEMU: 1 } },
  ]);
  assertThrows(() => readSpeeds(REPORT, "Other"));
  assertThrows(() => readSpeeds(REPORT, "None"));
});

Deno.test("speedFigure() draws a bar for each server that was measured", () => {
  const labels = ["sync", "aio"].flatMap((engine) =>
    ["read", "write"].flatMap((pattern) =>
      [1, 4].map((jobs) =>
        `${engine === "aio" ? "rand" : ""}${pattern} ${engine}, ${jobs} job${
          jobs === 1 ? "" : "s"
        }`
      )
    )
  );
  const few = labels.map((label) => ({
    label,
    rates: { mqfuse: 5, QEMU: 3 },
  }));
  const all = few.map(({ label, rates }) => ({
    label,
    rates: { ...rates, passthrough: 8, nbdfuse: 1, file: 9 },
  }));
  for (const [cells, servers] of [[few, 2], [all, 5]] as const) {
    const figure = speedFigure(cells, "a unit");
    const bars = figure.match(/<rect x=/g)!.length;
    // One more for each in the legend.
    assertEquals(bars, servers * (cells.length + 1));
    const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(figure)!;
    for (
      const [, x, y, bar] of figure.matchAll(
        /<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)"/g,
      )
    ) {
      assert(Number(x) + Number(bar) < Number(width), `${x} ${bar}`);
      assert(Number(y) + 11 < Number(height), y);
    }
  }
});

Deno.test("docs/speed.svg is what `deno task doc:speed` writes", () => {
  assertEquals(written, speedDocument());
});
