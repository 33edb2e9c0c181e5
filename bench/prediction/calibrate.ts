import { FIRST_GUESS, type FittedCosts } from "./costs.ts";
import { type ModelOptions, simulate } from "./model.ts";
import { type Figure, singleThreadFigures } from "./measured.ts";

/** The result of a fit. */
export interface Calibration {
  /** The fitted costs in microseconds. */
  readonly costs: FittedCosts;
  /** The relative error of each single-thread figure. */
  readonly errors: readonly number[];
  /** The median of the absolute errors. */
  readonly medianError: number;
}

/** Costs that are fitted together, and the figures that they are fitted to. */
interface Group {
  readonly names: readonly (keyof FittedCosts)[];
  readonly cells: readonly Figure[];
}

/**
 * The figures of a group and of those before it determine the group's costs.
 */
const GROUPS: readonly Group[] = [
  {
    names: ["clientCpu", "serverReadCpu", "serverWriteCpu"],
    cells: singleThreadFigures.filter(({ backend }) => backend === "null"),
  },
  {
    names: [
      "fileReadCpu",
      "randReadLatency",
      "seqReadLatency",
      "mixedReadLatency",
    ],
    cells: singleThreadFigures.filter(({ backend, direction }) =>
      backend === "file" && direction === "read"
    ),
  },
  {
    names: ["fileWriteCpu", "writeLatency"],
    cells: singleThreadFigures.filter(({ backend, direction }) =>
      backend === "file" && direction === "write"
    ),
  },
];

/** Rounds of the fit; the last ones change no digit that is kept. */
const ROUNDS = 4;

/** The relative change of a cost that measures its effect. */
const NUDGE = 0.05;

/** The largest change of a cost in one round, as a logarithm. */
const LONGEST_STEP = 0.7;

/**
 * Fits the costs to the single-thread figures, and to nothing else:
 * Gauss-Newton on the logarithms of costs and throughputs, from round guesses.
 *
 * @param options Options of the model; the costs are those of the fit.
 */
export function calibrate(
  options: Omit<ModelOptions, "fitted"> = {},
): Calibration {
  let costs = FIRST_GUESS;
  for (const group of GROUPS) {
    for (let round = 0; round < ROUNDS; round++) {
      costs = improve(costs, group, { requests: 4000, ...options });
    }
  }
  const errors = calibrationErrors(costs, options);
  return { costs, errors, medianError: medianAbsolute(errors) };
}

/** The relative error of each single-thread figure with given costs. */
export function calibrationErrors(
  fitted: FittedCosts,
  options: Omit<ModelOptions, "fitted"> = {},
): number[] {
  return residuals(singleThreadFigures, { ...options, fitted })
    .map((residual) => Math.exp(residual) - 1);
}

/** The median of absolute values. */
export function medianAbsolute(values: readonly number[]): number {
  const sorted = values.map(Math.abs).sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2;
}

/** The logarithms of modelled over measured throughput. */
function residuals(
  cells: readonly Figure[],
  options: ModelOptions,
): number[] {
  const known = new Map<string, number>();
  return cells.map((cell) => {
    const key = workloadKey(cell);
    const kiops = known.get(key) ?? simulate(cell, options).kiops;
    known.set(key, kiops);
    return Math.log(kiops / cell.measuredKiops);
  });
}

/** A key that is equal for workloads that the model does not distinguish. */
export function workloadKey(cell: Figure): string {
  const { backend, direction, mode, numjobs, threads } = cell;
  const pattern = backend === "file" && direction === "read"
    ? cell.pattern
    : "any";
  return [backend, direction, pattern, mode, numjobs, threads].join();
}

function improve(
  costs: FittedCosts,
  { names, cells }: Group,
  options: ModelOptions,
): FittedCosts {
  const base = residuals(cells, { ...options, fitted: costs });
  const slopes = names.map((name) => {
    const fitted = { ...costs, [name]: costs[name] * Math.exp(NUDGE) };
    return residuals(cells, { ...options, fitted })
      .map((moved, at) => (moved - base[at]!) / NUDGE);
  });
  const dot = (a: readonly number[], b: readonly number[]) =>
    a.reduce((sum, value, at) => sum + value * b[at]!, 0);
  const matrix = slopes.map((row, at) =>
    // why: damping, because a cost may have almost no effect at its first guess
    slopes.map((other, column) => dot(row, other) + (at === column ? 1e-3 : 0))
  );
  const steps = solve(matrix, slopes.map((row) => -dot(row, base)));
  const moved = names.map((name, at) => {
    const step = Math.max(-LONGEST_STEP, Math.min(LONGEST_STEP, steps[at]!));
    return [name, costs[name] * Math.exp(step)];
  });
  return { ...costs, ...Object.fromEntries(moved) };
}

/** Solves linear equations with a positive definite matrix by elimination. */
function solve(
  matrix: readonly number[][],
  right: readonly number[],
): number[] {
  const rows = matrix.map((row, at) => [...row, right[at]!]);
  const size = rows.length;
  for (let pivot = 0; pivot < size; pivot++) {
    for (let at = 0; at < size; at++) {
      if (at === pivot) continue;
      const factor = rows[at]![pivot]! / rows[pivot]![pivot]!;
      for (let column = pivot; column <= size; column++) {
        rows[at]![column]! -= factor * rows[pivot]![column]!;
      }
    }
  }
  return rows.map((row, at) => row[size]! / row[at]!);
}
