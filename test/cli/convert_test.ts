import { assertEquals, assertMatch } from "@std/assert";
import { main } from "../../src/cli/main.ts";
import {
  CopyDisplay,
  progressText,
} from "../../src/cli/output/copy_display.ts";
import { Output } from "../../src/cli/output/output.ts";
import { KeptSinks } from "./_sinks.ts";

Deno.test("convert refuses wrong command lines", async () => {
  for (
    const [args, said] of [
      [[], /Cannot convert without SOURCE and TARGET; usage: convert/],
      [["a"], /Cannot convert without SOURCE and TARGET/],
      [["a", ""], /Cannot convert without SOURCE and TARGET/],
      [
        ["", "b"],
        /Cannot open "": the name of the image is empty; give a path/,
      ],
      [
        ["qcow2:a", "qcow2:b", "--since=x", "--backing=raw:c", "--partition=1"],
        /Cannot use --since with --partition/,
      ],
      [["a", "b", "c"], /Cannot use a third operand, c/],
      [
        ["a", "nbd://host/x"],
        /Cannot convert to nbd:\/\/host\/x: an image can/,
      ],
      [["a", "memory:1M"], /can be converted to PATH, which is raw, or to/],
      [["a", "b", "--compress=zlib"], /Cannot use compress with a raw image/],
      [["a", "b", "--cluster-size=4k"], /Cannot use cluster-size with a raw/],
      [["a", "b", "--backing=raw:c"], /Cannot use backing with a raw image/],
      [["a", "qcow2:b", "--compress=lz4"], /lz4/],
      [["a", "qcow2:b", "--since=x"], /Cannot use --since without --backing/],
      [["a", "b", "--workers=0"], /--workers/],
    ] as const
  ) {
    const sinks = new KeptSinks();
    assertEquals(await main(["convert", ...args], "1", sinks), 2);
    assertMatch(sinks.err, said);
  }
});

Deno.test("progressText() says the share, the rate and the time left", () => {
  const text = (done: number, seconds: number) =>
    progressText({ step: "copying", done, all: 1 << 30 }, seconds);
  assertEquals(text(0, 0), "copying 0 %, 0 B of 1 GiB");
  assertEquals(
    text(1 << 28, 2),
    "copying 25 %, 256 MiB of 1 GiB, 134 MB/s, 6 s left",
  );
  assertMatch(text(1 << 20, 2), /0\.5 MB\/s, 34 min 6 s left$/);
  assertMatch(text(1 << 18, 10), /11 h 22 min left$/);
  assertEquals(
    progressText({ step: "copying", done: 0, all: 0 }, 1),
    "copying 100 %, 0 B of 0 B",
  );
});

Deno.test("CopyDisplay prints no bar where there is no terminal", async () => {
  const sinks = new KeptSinks();
  const output = new Output({ json: false, log: "text" }, sinks);
  const display = new CopyDisplay(output);
  display.show({ step: "copying", done: 0, all: 100 });
  display.show({ step: "copying", done: 100, all: 100 });
  await display.end();
  await output.finish();
  assertEquals([sinks.out, sinks.err], ["", ""]);
});
