import { assertEquals, assertThrows } from "@std/assert";
import { HELP, readOptions } from "../../bench/exports/options.ts";
import { timeLeft } from "../../bench/report/progress.ts";

Deno.test("readOptions() has defaults", () => {
  const options = readOptions([]);
  assertEquals(options.rounds, 5);
  assertEquals(options.runtimeMs, 1000);
  assertEquals(options.size, 2 ** 30);
  assertEquals(options.peers, {});
  assertEquals(options.timeLimitMs, Infinity);
  assertEquals([options.restart, options.report], [false, false]);
});

Deno.test("readOptions() reads every kind of option", () => {
  const options = readOptions([
    "--quick",
    "--runtime=0.5",
    "--size=64M",
    "--qemu=/new",
    "--only",
    "null:read,programs",
    "--time-limit=2",
    "--restart",
  ]);
  assertEquals(options.rounds, 1);
  assertEquals(options.runtimeMs, 500);
  assertEquals(options.size, 64 << 20);
  assertEquals(options.peers, { qemu: "/new" });
  assertEquals(options.only, "null:read,programs");
  assertEquals(options.timeLimitMs, 120_000);
  assertEquals(options.restart, true);
});

Deno.test("readOptions() refuses wrong values", () => {
  for (
    const [arg, words] of [
      ["--rouns=3", "--rouns"],
      ["--rounds=0", "above 0"],
      ["--runtime=soon", "above 0"],
      ["--size=1000", "whole MiB"],
      ["--results", "without a value"],
      ["stray", "stray"],
    ] as const
  ) assertThrows(() => readOptions([arg]), Error, words);
});

Deno.test("--help fits a terminal", () => {
  assertEquals(HELP.split("\n").filter((line) => line.length > 80), []);
});

Deno.test("timeLeft() follows from the runs so far", () => {
  assertEquals(timeLeft(5000, 0, 10), "");
  assertEquals(timeLeft(5000, 5, 10), "about 5 s left");
  assertEquals(timeLeft(600_000, 1, 3), "about 20 min left");
});
