import { assert, assertEquals, assertThrows } from "@std/assert";
import { cellOf } from "../../bench/fio/cells.ts";
import { fioArguments, parseFio } from "../../bench/fio/fio.ts";
import { growthOf } from "../../bench/idle/idle.ts";
import { parseStat } from "../../bench/servers/process_group.ts";
import REPORT from "./fixtures/fio.json" with { type: "text" };

Deno.test("parseFio() reads a report of fio", () => {
  assertEquals(parseFio(REPORT), {
    iops: 573700.657895,
    bytesPerSecond: 2350713263,
    p99Us: JSON.parse(REPORT).jobs[0].read.clat_ns.percentile["99.000000"] /
      1000,
    requests: 174405,
    // 90 % of 304 ms, and 1000 switches.
    clientUs: 0.9 * 304_000 / 174405,
    switches: 1000 / 174405,
  });
  assert(parseFio(REPORT).p99Us > 10);
});

Deno.test("parseFio() skips text before the report", () => {
  assertEquals(parseFio(`note: something\n${REPORT}`), parseFio(REPORT));
});

Deno.test("parseFio() reads the direction that has requests", () => {
  const report = JSON.parse(REPORT);
  const [job] = report.jobs;
  [job.read, job.write] = [job.write, job.read];
  assertEquals(parseFio(JSON.stringify(report)), parseFio(REPORT));
});

Deno.test("parseFio() refuses errors and empty reports", () => {
  assertThrows(() => parseFio("fio: no such file"), Error, "no such file");
  const report = JSON.parse(REPORT);
  report.jobs[0].error = 5;
  assertThrows(() => parseFio(JSON.stringify(report)), Error, "error 5");
  report.jobs[0].error = 0;
  report.jobs[0].read.total_ios = 0;
  assertThrows(() => parseFio(JSON.stringify(report)), Error, "no request");
});

Deno.test("fioArguments() has the load of the cell, and its time with a unit", () => {
  const args = fioArguments(cellOf("tmpfs:randwrite:aio:4"), "x", {
    size: 1 << 20,
    runtimeMs: 1500,
    isDirect: true,
  });
  for (
    const arg of [
      "--filename=x",
      "--rw=randwrite",
      "--bs=4096",
      "--ioengine=libaio",
      "--iodepth=16",
      "--numjobs=4",
      "--direct=1",
      "--invalidate=0",
      "--size=1048576",
      "--runtime=1500ms",
    ]
  ) assert(args.includes(arg), arg);
  const cached = fioArguments(cellOf("disk:randread:aio:1"), "x", {
    size: 1 << 20,
    runtimeMs: 1500,
    isDirect: false,
  });
  assert(cached.includes("--direct=0"));
});

Deno.test("parseStat() skips any name of a program", () => {
  const numbers = Array.from({ length: 50 }, (_, i) => i);
  for (const name of ["fio", "a b", "a) S 7 (b", ")"]) {
    // The state is the third field, so the group is 5, utime 14, stime 15.
    const text = `12 (${name}) S ${numbers.slice(4, 54).join(" ")}`;
    assertEquals(parseStat(text), { group: 5, ticks: 14 + 15 });
  }
});

Deno.test("growthOf() counts new counters, and leaves out those that are gone", () => {
  const before = new Map([["a", 5], ["gone", 100]]);
  assertEquals(growthOf(before, new Map([["a", 7], ["new", 1]])), 3);
  assertEquals(growthOf(before, before), 0);
});
