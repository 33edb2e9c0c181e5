import { assertEquals, assertMatch } from "@std/assert";
import { main } from "../../src/cli/main.ts";
import { mayBeWritten } from "../../src/cli/tune/measure.ts";
import {
  comparableRates,
  fastest,
  median,
  variantsOf,
  wordsOf,
} from "../../src/cli/tune/variants.ts";
import { KeptSinks } from "./_sinks.ts";

Deno.test("variantsOf() lists what a machine can do, the simplest first", () => {
  const one = { cpus: 1, uring: false, passthrough: false };
  assertEquals(variantsOf(one).map((each) => wordsOf(each).join(" ")), [
    "--queues=1 --transport=device",
    "--queues=1 --transport=device --poll-us=0",
  ]);
  const all = variantsOf({ cpus: 64, uring: true, passthrough: true });
  const lines = all.map((each) => wordsOf(each).join(" "));
  assertEquals(new Set(lines).size, 4 * 2 * 2 + 1);
  assertEquals(lines.at(-1), "--queues=1 --passthrough=on");
  assertEquals(
    lines.includes("--queues=4 --transport=uring --poll-us=0"),
    true,
  );
});

Deno.test("fastest() picks the best, and the simplest of equal ones", () => {
  assertEquals(fastest([10, 30, 20]), 1);
  assertEquals(fastest([99, 100]), 0);
  assertEquals(fastest([95, 100]), 1);
});

Deno.test("median() is not moved by one disturbed round", () => {
  assertEquals(median([5, 1, 6]), 5);
  assertEquals(median([4, 1]), 2.5);
});

Deno.test("comparableRates() compares within each round", () => {
  const even = comparableRates([[10, 10, 10], [20, 20, 20]]);
  assertEquals(even.map(Math.round), [10, 20]);
  // The machine was slow in the second round, and the first rate was disturbed.
  const [one, two] = comparableRates([[2, 5, 10], [20, 10, 20]]);
  assertEquals(Math.round(10 * two! / one!), 20);
  assertEquals(comparableRates([[3, 1, 2]]).map(Math.round), [2]);
});

Deno.test("tune writes only where that harms nothing", () => {
  const cases: [string, string | null, boolean][] = [
    ["disk.img", null, false],
    ["disk.img", "memory", true],
    ["qcow2:disk.qcow2", null, false],
    ["nbd:localhost", null, false],
    ["pattern:1M", null, false],
    ["memory:1M", null, true],
    ["null:1M", null, true],
  ];
  for (const [source, overlay, expected] of cases) {
    assertEquals(
      mayBeWritten({ source, overlay, partition: null }),
      expected,
      source,
    );
  }
});

Deno.test("tune refuses wrong command lines", async () => {
  for (
    const [args, said] of [
      [[], /Cannot measure without an IMAGE; usage: tune/],
      [["a", "b"], /Cannot measure a second image, b/],
      [["nosuch:x:y", "b"], /second image/],
      [["-w", "a"], /Unknown option -w/],
      [
        ["--overlay=a.qcow2", "a"],
        /Cannot measure with an overlay at a\.qcow2/,
      ],
    ] as const
  ) {
    const sinks = new KeptSinks();
    assertEquals(await main(["tune", ...args], "1", sinks), 2);
    assertMatch(sinks.err, said);
  }
});
