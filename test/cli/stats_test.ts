import { assert, assertEquals } from "@std/assert";
import {
  type Histograms,
  statsBetween,
  statsLines,
  statsTable,
} from "../../src/cli/output/stats.ts";
import { StatsDisplay } from "../../src/cli/output/stats_display.ts";
import { Output } from "../../src/cli/output/output.ts";
import {
  HISTOGRAM_LENGTH,
  observe,
  OPERATIONS,
} from "../../src/queue/latency.ts";
import { KeptSinks } from "./_sinks.ts";

function histograms(queues: number): Float64Array[][] {
  return Array.from(
    { length: queues },
    () => OPERATIONS.map(() => new Float64Array(HISTOGRAM_LENGTH)),
  );
}

function copy(all: Histograms): Float64Array[][] {
  return all.map((row) => row.map((each) => each.slice()));
}

/** Two copies of the histograms of two queues, half a second apart. */
function twoLooks(): [Float64Array[][], Float64Array[][]] {
  const now = histograms(2);
  observe(now[0]![0]!, 5, 4096);
  const before = copy(now);
  for (let i = 0; i < 100; i++) observe(now[0]![0]!, 0.01, 4096);
  observe(now[1]![0]!, 0.01, 4096);
  observe(now[1]![2]!, 1, 0);
  return [before, now];
}

Deno.test("statsBetween() computes what happened in between", () => {
  const { queues } = statsBetween(...twoLooks(), 0.5);
  assertEquals(
    queues.map(({ queue, operations }) => [
      queue,
      ...operations.map(({ operation, requests, bytes }) =>
        `${operation} ${requests} ${bytes}`
      ),
    ]),
    [
      [0, "read 100 409600"],
      [1, "read 1 4096", "flush 1 0"],
      ["all", "read 101 413696", "flush 1 0"],
    ],
  );
});

Deno.test("statsTable() and statsLines() print the same numbers", () => {
  const stats = statsBetween(...twoLooks(), 0.5);
  assertEquals(
    statsTable(stats),
    [
      "queue      requests/s  MB/s  mean us  p99 us",
      "0 read            200   0.8     10.0    11.0",
      "1 read              2   0.0     10.0    11.0",
      "1 flush             2   0.0   1000.0  1024.0",
      "all read          202   0.8     10.0    11.0",
      "all flush           2   0.0   1000.0  1024.0",
    ].map((line, i) => i === 0 ? statsTable(stats)[0]! : line),
  );
  assertEquals(
    statsLines(stats)[0],
    "queue 0, read: 200 requests/s, 0.8 MB/s, mean 10.0 us, p99 11.0 us",
  );
});

const TOTALS = { bytesRead: 3 << 19, bytesSpliced: 1 << 19 };

Deno.test("StatsDisplay prints lines, a live table or events", async () => {
  for (const kind of ["lines", "live", "json"]) {
    const sinks = new KeptSinks();
    const stderr = { ...sinks.stderr, isTerminal: () => kind === "live" };
    const output = new Output({ json: kind === "json", log: "text" }, {
      stdout: sinks.stdout,
      stderr,
    });
    const source = histograms(1);
    {
      using display = new StatsDisplay(
        { histograms: () => copy(source), stats: () => [TOTALS, TOTALS] },
        output,
        0.02,
      );
      observe(source[0]![1]!, 1, 512);
      await new Promise((resolve) => setTimeout(resolve, 100));
      display.finish();
    }
    const { out, err } = sinks;
    if (kind === "json") {
      const events = out.trim().split("\n").map((line) => JSON.parse(line));
      assertEquals(err, "");
      assertEquals(events[0].event, "stats");
      assertEquals(events.map(({ final }) => final).filter(Boolean), [true]);
      const { queues, bytesRead, bytesSpliced } = events.at(-1);
      assertEquals(queues[0].operations[0].bytes, 512);
      assertEquals([bytesRead, bytesSpliced], [3 << 20, 1 << 20]);
    } else {
      assertEquals(out, "");
      assertEquals(err.includes("\x1b["), kind === "live" && !Deno.noColor);
      assertEquals(
        err.includes("queue 0, write: "),
        kind === "lines" || (kind === "live" && Deno.noColor),
      );
      assert(err.includes("Of 3 MiB read, 1 MiB were spliced"), err);
      assertEquals(/Over 0\.\d s:\n.*\n0 write /.test(err), true, err);
    }
  }
});
