import { FIRST_GUESS, type FittedCosts } from "./costs.ts";
import { type ModelOptions, simulate } from "./model.ts";
import { calibrationCells, type SeedCell } from "./seed_table.ts";

/** What a fit gives. */
export interface Calibration {
  /** The costs. */
  readonly costs: FittedCosts;
  /** The error of each calibration cell, relative to the seed's figure. */
  readonly errors: readonly number[];
  /** The median of their absolute values. */
  readonly medianError: number;
}

/** Costs that are fitted together, and to which cells. */
interface Group {
  readonly names: readonly (keyof FittedCosts)[];
  readonly cells: readonly SeedCell[];
}

/** Every cost can be told from the cells of its group and those before. */
const GROUPS: readonly Group[] = [
  {
    names: ["clientCpu", "serverReadCpu", "serverWriteCpu"],
    cells: calibrationCells.filter(({ backend }) => backend === "null"),
  },
  {
    names: [
      "fileReadCpu",
      "randReadLatency",
      "seqReadLatency",
      "mixedReadLatency",
    ],
    cells: calibrationCells.filter(({ backend, direction }) =>
      backend === "file" && direction === "read"
    ),
  },
  {
    names: ["fileWriteCpu", "writeLatency"],
    cells: calibrationCells.filter(({ backend, direction }) =>
      backend === "file" && direction === "write"
    ),
  },
];

/** Rounds of the fit; the last ones change nothing that can be seen. */
const ROUNDS = 4;

/** How far a cost is moved to see what it does. */
const NUDGE = 0.05;

/** How far one round may move a cost, as a logarithm. */
const LONGEST_STEP = 0.7;

/**
 * Fits the costs to the figures with one server thread, and to nothing else:
 * Gauss-Newton on the logarithms of costs and throughputs, from round guesses.
 *
 * @param options The model's; the costs are those of this fit.
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

/** The error of each calibration cell, relative to the seed's figure. */
export function calibrationErrors(
  fitted: FittedCosts,
  options: Omit<ModelOptions, "fitted"> = {},
): number[] {
  return residuals(calibrationCells, { ...options, fitted })
    .map((residual) => Math.exp(residual) - 1);
}

/** The median of absolute values. */
export function medianAbsolute(values: readonly number[]): number {
  const sorted = values.map(Math.abs).sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2;
}

/** Logarithms of model over seed. */
function residuals(
  cells: readonly SeedCell[],
  options: ModelOptions,
): number[] {
  const known = new Map<string, number>();
  return cells.map((cell) => {
    const key = workloadKey(cell);
    const kiops = known.get(key) ?? simulate(cell, options).kiops;
    known.set(key, kiops);
    return Math.log(kiops / cell.seedKiops);
  });
}

/** Equal for workloads that the model does not tell apart. */
export function workloadKey(cell: SeedCell): string {
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
    // why: a little damping, since a cost may hardly matter at its guess
    slopes.map((other, column) => dot(row, other) + (at === column ? 1e-3 : 0))
  );
  const steps = solve(matrix, slopes.map((row) => -dot(row, base)));
  const moved = names.map((name, at) => {
    const step = Math.max(-LONGEST_STEP, Math.min(LONGEST_STEP, steps[at]!));
    return [name, costs[name] * Math.exp(step)];
  });
  return { ...costs, ...Object.fromEntries(moved) };
}

/** Solves linear equations with a positive definite matrix. */
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
