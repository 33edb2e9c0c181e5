import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertMatch,
} from "@std/assert";
import {
  calibrate,
  calibrationErrors,
  medianAbsolute,
} from "../../../bench/prediction/calibrate.ts";
import {
  FITTED_COSTS,
  type FittedCosts,
} from "../../../bench/prediction/costs.ts";
import {
  formatCalibration,
  formatTable,
  roundedCost,
} from "../../../bench/prediction/format.ts";
import {
  measuredFigures,
  multiThreadFigures,
  singleThreadFigures,
} from "../../../bench/prediction/measured.ts";
import {
  coreSensitivity,
  predictFigures,
  scoreOf,
  threadChange,
} from "../../../bench/prediction/predict.ts";

Deno.test("the measured figures are complete, and so are those they imply", () => {
  assertEquals(measuredFigures.length, 48);
  assertEquals(singleThreadFigures.length, 32);
  assertEquals(multiThreadFigures.length, 32);
  assert(singleThreadFigures.every(({ threads }) => threads === 1));
  assert(multiThreadFigures.every(({ threads }) => threads === 4));
  assertEquals(
    new Set(measuredFigures.map((cell) => JSON.stringify(cell))).size,
    48,
  );
  const base = singleThreadFigures.find((cell) =>
    cell.numjobs === 1 && cell.backend === "null" && cell.mode === "sync" &&
    cell.direction === "read" && cell.pattern === "seq"
  )!;
  assertAlmostEquals(base.measuredKiops, 114.2 / 0.84, 1e-9);
});

Deno.test("calibrate() gives the costs that are checked in", () => {
  const calibration = calibrate();
  const { costs, medianError } = calibration;
  for (const name of Object.keys(FITTED_COSTS) as (keyof FittedCosts)[]) {
    assertEquals(roundedCost(costs[name]), FITTED_COSTS[name], name);
  }
  assert(medianError < 0.012, `${medianError}`);
  const text = formatCalibration(calibration);
  assertEquals(text.match(/table 1, by its percentage$/gm)?.length, 16);
  assertEquals(text.match(/table 2$/gm)?.length, 16);
  for (const [name, us] of Object.entries(FITTED_COSTS)) {
    assertMatch(text, new RegExp(`^ {2}${name} .* ${us} +${us}$`, "m"));
  }
});

Deno.test("the costs fit the figures with one thread as well as stated", () => {
  const errors = calibrationErrors(FITTED_COSTS);
  assertEquals(errors.length, 32);
  assert(medianAbsolute(errors) < 0.012);
  assert(errors.every((error) => Math.abs(error) < 0.1), `${errors}`);
  const costs = Object.values(FITTED_COSTS);
  assert(costs.length <= singleThreadFigures.length / 3);
  assert(costs.every((cost) => cost > 0));
});

Deno.test("predictFigures() gives every cell with exactly the keys of --json", () => {
  const cells = predictFigures({ requests: 500 });
  assertEquals(cells.length, 64);
  assertEquals(cells.filter(({ calibration }) => !calibration).length, 32);
  for (const cell of cells) {
    assertEquals(Object.keys(cell).sort(), [
      "backend",
      "calibration",
      "direction",
      "measured_kiops",
      "mode",
      "numjobs",
      "pattern",
      "predicted_kiops",
      "table",
      "threads",
    ]);
    assertEquals(cell.calibration, cell.threads === 1);
    assert(cell.predicted_kiops > 0);
  }
});

Deno.test("equal seeds give equal bytes, other seeds do not", () => {
  const json = (seed: number) =>
    JSON.stringify(predictFigures({ seed, requests: 500 }));
  assertEquals(json(7), json(7));
  assert(json(7) !== json(8));
});

Deno.test("the prediction is as good, and as bad, as the document says", () => {
  const cells = predictFigures();
  const { cells: count, medianError, signsRight, within15 } = scoreOf(cells);
  assertEquals(count, 32);
  assert(medianError > 0.25 && medianError < 0.32, `${medianError}`);
  assert(signsRight >= 28, `${signsRight}`);
  assert(within15 >= 15, `${within15}`);
  const text = formatTable(cells);
  assertEquals(text.match(/ {2}(?:file|null) /g)?.length, 64);
  assert(text.includes("sign of the change right in"), text);
  const missed = text.matchAll(/^ {2}(\d+) of \w+ \w+ \w+, \d jobs?$/gm);
  const sum = [...missed].reduce((total, [, n]) => total + Number(n), 0);
  assertEquals(sum, 32 - within15);
  assert(text.split("\n").every((line) => line.length <= 100), text);
});

Deno.test("threadChange() compares with the same work on one thread", () => {
  const cells = predictFigures({ requests: 500 });
  const cell = cells.find((cell) =>
    cell.table === 1 && cell.threads === 4 && cell.backend === "null" &&
    cell.direction === "write" && cell.pattern === "seq" && cell.mode === "aio"
  )!;
  assertEquals(Math.round(threadChange(cell, cells).measured), -21);
});

Deno.test("from 8 CPUs on their number does not matter to the measured jobs", () => {
  const [eight, many] = coreSensitivity([8, 64], { requests: 500 });
  assertAlmostEquals(eight!.medianError, many!.medianError, 0.02);
});
