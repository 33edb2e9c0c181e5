import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertMatch,
} from "@std/assert";
import {
  calibrate,
  calibrationCells,
  calibrationErrors,
  coreSensitivity,
  FITTED_COSTS,
  type FittedCosts,
  formatCalibration,
  formatTable,
  medianAbsolute,
  multiThreadedCells,
  predictTable,
  roundedCost,
  scoreOf,
  seedTable,
  threadChange,
} from "../../bench/prediction/mod.ts";

Deno.test("the seed's table is whole, and so is what it implies", () => {
  assertEquals(seedTable.length, 48);
  assertEquals(calibrationCells.length, 32);
  assertEquals(multiThreadedCells.length, 32);
  assert(calibrationCells.every(({ threads }) => threads === 1));
  assert(multiThreadedCells.every(({ threads }) => threads === 4));
  assertEquals(new Set(seedTable.map((cell) => JSON.stringify(cell))).size, 48);
  const base = calibrationCells.find((cell) =>
    cell.numjobs === 1 && cell.backend === "null" && cell.mode === "sync" &&
    cell.direction === "read" && cell.pattern === "seq"
  )!;
  assertAlmostEquals(base.seedKiops, 114.2 / 0.84, 1e-9);
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
  assert(costs.length <= calibrationCells.length / 3);
  assert(costs.every((cost) => cost > 0));
});

Deno.test("predictTable() gives every cell with exactly the keys of --json", () => {
  const cells = predictTable({ requests: 500 });
  assertEquals(cells.length, 64);
  assertEquals(cells.filter(({ calibration }) => !calibration).length, 32);
  for (const cell of cells) {
    assertEquals(Object.keys(cell).sort(), [
      "backend",
      "calibration",
      "direction",
      "mode",
      "numjobs",
      "pattern",
      "predicted_kiops",
      "seed_kiops",
      "table",
      "threads",
    ]);
    assertEquals(cell.calibration, cell.threads === 1);
    assert(cell.predicted_kiops > 0);
  }
});

Deno.test("equal seeds give equal bytes, others do not", () => {
  const json = (seed: number) =>
    JSON.stringify(predictTable({ seed, requests: 500 }));
  assertEquals(json(7), json(7));
  assert(json(7) !== json(8));
});

Deno.test("the prediction is as good, and as bad, as the docs say", () => {
  const cells = predictTable();
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
  const cells = predictTable({ requests: 500 });
  const cell = cells.find((cell) =>
    cell.table === 1 && cell.threads === 4 && cell.backend === "null" &&
    cell.direction === "write" && cell.pattern === "seq" && cell.mode === "aio"
  )!;
  assertEquals(Math.round(threadChange(cell, cells).seed), -21);
});

Deno.test("from 8 CPUs on their number does not matter to the seed's jobs", () => {
  const [eight, many] = coreSensitivity([8, 64], { requests: 500 });
  assertAlmostEquals(eight!.medianError, many!.medianError, 0.02);
});
