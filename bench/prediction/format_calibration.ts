import type { Calibration } from "./calibrate.ts";
import { FIRST_GUESS, type FittedCosts } from "./costs.ts";
import { FITTED_COSTS } from "./fitted.ts";
import { calibrationCells, type SeedCell } from "./seed_table.ts";

/** What a cost is rounded to where it is kept: three digits that count. */
export function roundedCost(us: number): number {
  return Number(us.toPrecision(3));
}

/**
 * Formats how the costs follow from the figures with one server thread: each
 * figure, where it comes from and how well it is met, then the costs.
 */
export function formatCalibration({ costs, errors }: Calibration): string {
  const figures = calibrationCells.map((cell, at) =>
    `  ${nameOf(cell).padEnd(28)}${cell.seedKiops.toFixed(1).padStart(7)}` +
    `${`${(100 * errors[at]!).toFixed(1)} %`.padStart(9)}   ${sourceOf(cell)}`
  );
  const names = Object.keys(FITTED_COSTS) as (keyof FittedCosts)[];
  const rows = names.map((name) => {
    const fitted = roundedCost(costs[name]);
    return `  ${name.padEnd(20)}${String(FIRST_GUESS[name]).padStart(8)}` +
      `${String(fitted).padStart(9)}${String(FITTED_COSTS[name]).padStart(9)}`;
  });
  return [
    "Figures with one server thread, thousands of requests a second:",
    "                                seed    error   source",
    ...figures,
    "",
    "Costs in microseconds that meet them best:",
    "                       guess   fitted     kept",
    ...rows,
    "",
  ].join("\n");
}

function nameOf(
  { backend, direction, pattern, mode, numjobs }: SeedCell,
): string {
  return `${backend} ${direction} ${pattern} ${mode}, ${numjobs} ` +
    (numjobs === 1 ? "job" : "jobs");
}

function sourceOf({ table }: SeedCell): string {
  return table === 2 ? "table 2" : "table 1, by its percentage";
}
