import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  geometricMean,
  median,
  quantile,
  spreadOf,
} from "../../bench/report/statistics.ts";

Deno.test("median() is the middle value, or between the two", () => {
  assertEquals(median([7]), 7);
  assertEquals(median([30, 10, 20]), 20);
  assertEquals(median([4, 1, 3, 2]), 2.5);
  assertEquals(median([100, 9, 10]), 10, "sorted as numbers");
});

Deno.test("quantile() runs from the least to the greatest value", () => {
  const values = [5, 1, 3];
  assertEquals([0, 0.25, 0.5, 1].map((share) => quantile(values, share)), [
    1,
    2,
    3,
    5,
  ]);
  assertEquals(values, [5, 1, 3], "left as they were");
  assertThrows(() => quantile([], 0.5), RangeError);
});

Deno.test("spreadOf() has the quartiles, the limits and the count", () => {
  assertEquals(spreadOf([1, 2, 3, 4, 100]), {
    median: 3,
    low: 2,
    high: 4,
    least: 1,
    greatest: 100,
    count: 5,
  });
});

Deno.test("geometricMean() is the mean of ratios", () => {
  assertAlmostEquals(geometricMean([0.5, 2])!, 1);
  assertAlmostEquals(geometricMean([2, 4, 8])!, 4);
  assertEquals(geometricMean([]), null);
});
