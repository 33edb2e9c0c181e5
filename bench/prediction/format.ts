import { type Calibration, medianAbsolute } from "./calibrate.ts";
import { FIRST_GUESS, FITTED_COSTS, type FittedCosts } from "./costs.ts";
import { type Figure, singleThreadFigures } from "./measured.ts";
import {
  type PredictedFigure,
  relativeError,
  scoreOf,
  threadChange,
} from "./predict.ts";

const GROUPS: readonly {
  title: string;
  has: (cell: PredictedFigure) => boolean;
}[] = [
  {
    title: "numjobs=1, 1 thread (what table 1 was compared with; fitted)",
    has: (cell) => cell.calibration && cell.table === 1,
  },
  {
    title: "numjobs=4, 1 thread (table 2; fitted)",
    has: (cell) => cell.calibration && cell.table === 2,
  },
  {
    title: "numjobs=1, 4 threads (table 1; predicted)",
    has: (cell) => !cell.calibration && cell.table === 1,
  },
  {
    title: "numjobs=4, 4 threads (table 3; predicted)",
    has: (cell) => !cell.calibration && cell.table === 3,
  },
];

/**
 * Formats measured and predicted figures side by side, in thousands of requests
 * a second, and how well they agree. "change" is relative to one thread. An `x`
 * marks a change with the wrong sign, `*` an error of more than 15 percent.
 */
export function formatTable(cells: readonly PredictedFigure[]): string {
  const lines = GROUPS.flatMap(({ title, has }) => {
    const rows = cells.filter(has);
    if (rows.length === 0) return [];
    return [
      title,
      "                       measured   model    error   change measured, model",
      ...rows.map((cell) => formatRow(cell, cells)),
      "",
    ];
  });
  const fitted = cells.filter(({ calibration }) => calibration);
  const score = scoreOf(cells);
  const median = percent(medianAbsolute(fitted.map(relativeError)));
  return [
    ...lines,
    `fitted:    ${fitted.length} figures, median error ${median}`,
    `predicted: ${score.cells} figures, median error ` +
    `${percent(score.medianError)}, ${score.within15} within 15 %, ` +
    `sign of the change right in ${score.signsRight}`,
    ...missed(cells),
    "",
  ].join("\n");
}

/** The figures that are wrong by more than 15 percent, counted by kind. */
function missed(cells: readonly PredictedFigure[]): string[] {
  const counts = new Map<string, number>();
  for (const cell of cells) {
    if (cell.calibration || Math.abs(relativeError(cell)) <= 0.15) continue;
    const { backend, direction, mode, numjobs } = cell;
    const jobs = numjobs === 1 ? "1 job" : `${numjobs} jobs`;
    const kind = `${backend} ${direction} ${mode}, ${jobs}`;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  if (counts.size === 0) return [];
  return [
    "missed by more than 15 % (bench/prediction/README.md says why):",
    ...[...counts].map(([kind, count]) => `  ${count} of ${kind}`),
  ];
}

function formatRow(
  cell: PredictedFigure,
  cells: readonly PredictedFigure[],
): string {
  const error = relativeError(cell);
  const name = [cell.backend, cell.direction, cell.pattern, cell.mode]
    .map((word) => word.padEnd(5)).join(" ");
  const start = `  ${name.trimEnd().padEnd(22)}` +
    cell.measured_kiops.toFixed(1).padStart(7) +
    cell.predicted_kiops.toFixed(1).padStart(8) +
    signed(error).padStart(9);
  if (cell.calibration) return start;
  const { measured, predicted } = threadChange(cell, cells);
  const miss = Math.abs(error) > 0.15 ? "*" : " ";
  const sign = Math.sign(measured) === Math.sign(predicted) ? "" : " x";
  return `${start}${miss}` + signed(measured / 100, 0).padStart(11) + "," +
    signed(predicted / 100, 0).padStart(7) + sign;
}

function percent(value: number): string {
  return `${(100 * value).toFixed(1)} %`;
}

function signed(value: number, digits = 1): string {
  const text = (100 * value).toFixed(digits);
  return `${value < 0 ? "" : "+"}${text} %`;
}

/** Rounds a cost to the three significant digits that are kept. */
export function roundedCost(us: number): number {
  return Number(us.toPrecision(3));
}

/**
 * Formats a fit: each single-thread figure with its source and its error, then
 * the costs.
 */
export function formatCalibration({ costs, errors }: Calibration): string {
  const figures = singleThreadFigures.map((cell, at) =>
    `  ${nameOf(cell).padEnd(28)}${cell.measuredKiops.toFixed(1).padStart(7)}` +
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
    "                             measured    error   source",
    ...figures,
    "",
    "Costs in microseconds that meet them best:",
    "                       guess   fitted     kept",
    ...rows,
    "",
  ].join("\n");
}

function nameOf(
  { backend, direction, pattern, mode, numjobs }: Figure,
): string {
  return `${backend} ${direction} ${pattern} ${mode}, ${numjobs} ` +
    (numjobs === 1 ? "job" : "jobs");
}

function sourceOf({ table }: Figure): string {
  return table === 2 ? "table 2" : "table 1, by its percentage";
}
