import { assertEquals, assertThrows } from "@std/assert";
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

Deno.test("docs/speed.svg is what `deno task doc:speed` writes", () => {
  assertEquals(written, speedDocument());
});
