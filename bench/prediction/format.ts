import { medianAbsolute } from "./calibrate.ts";
import {
  type PredictedCell,
  relativeError,
  scoreOf,
  threadChange,
} from "./predict.ts";

const GROUPS: readonly {
  title: string;
  has: (cell: PredictedCell) => boolean;
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
 * Formats what `predictTable()` gave: the seed's figures beside the model's,
 * in thousands of requests a second, and how well they agree. `change` is
 * against one thread; an `x` marks a wrong sign of it, `*` an error of more
 * than 15 percent.
 */
export function formatTable(cells: readonly PredictedCell[]): string {
  const lines = GROUPS.flatMap(({ title, has }) => {
    const rows = cells.filter(has);
    if (rows.length === 0) return [];
    return [
      title,
      "                        seed    model    error   change seed, model",
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

/** Which figures are missed by more than 15 percent, by kind. */
function missed(cells: readonly PredictedCell[]): string[] {
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
    "missed by more than 15 % (docs/SIMULATOR.md says why):",
    ...[...counts].map(([kind, count]) => `  ${count} of ${kind}`),
  ];
}

function formatRow(
  cell: PredictedCell,
  cells: readonly PredictedCell[],
): string {
  const error = relativeError(cell);
  const name = [cell.backend, cell.direction, cell.pattern, cell.mode]
    .map((word) => word.padEnd(5)).join(" ");
  const start = `  ${name.trimEnd().padEnd(22)}` +
    cell.seed_kiops.toFixed(1).padStart(7) +
    cell.predicted_kiops.toFixed(1).padStart(8) +
    signed(error).padStart(9);
  if (cell.calibration) return start;
  const { seed, predicted } = threadChange(cell, cells);
  const miss = Math.abs(error) > 0.15 ? "*" : " ";
  const sign = Math.sign(seed) === Math.sign(predicted) ? "" : " x";
  return `${start}${miss}` + signed(seed / 100, 0).padStart(11) + "," +
    signed(predicted / 100, 0).padStart(7) + sign;
}

function percent(value: number): string {
  return `${(100 * value).toFixed(1)} %`;
}

function signed(value: number, digits = 1): string {
  const text = (100 * value).toFixed(digits);
  return `${value < 0 ? "" : "+"}${text} %`;
}
