import { assertEquals } from "@std/assert";
import {
  fromSparse,
  toSparse,
} from "../../src/cli/control/sparse_histograms.ts";
import {
  HISTOGRAM_LENGTH,
  observe,
  OPERATIONS,
} from "../../src/queue/latency.ts";

function row(): Float64Array[] {
  return OPERATIONS.map(() => new Float64Array(HISTOGRAM_LENGTH));
}

Deno.test("histograms come back from the control socket as they were", () => {
  const rows = [row(), row()];
  for (let i = 1; i < 200; i++) observe(rows[i % 2]![i % 4]!, 1.01 ** i, 4096);
  const sent = JSON.parse(JSON.stringify(toSparse(rows)));
  assertEquals(fromSparse(sent), rows);
  assertEquals(fromSparse([]), []);
});

Deno.test("fromSparse() refuses what are no histograms", () => {
  const good = toSparse([row()]);
  assertEquals(fromSparse(good)?.length, 1);
  const bad = (pairs: unknown) => [[pairs, [], [], []]];
  for (
    const value of [
      null,
      {},
      "x",
      [[]],
      [[[], [], []]],
      bad(null),
      bad([1]),
      bad([HISTOGRAM_LENGTH, 1]),
      bad([-1, 1]),
      bad([0.5, 1]),
      bad([0, -1]),
      bad([0, "1"]),
      bad(["constructor", 1]),
    ]
  ) assertEquals(fromSparse(value), null, JSON.stringify(value));
});
