import { medianAbsolute, workloadKey } from "./calibrate.ts";
import { type ModelOptions, simulate } from "./model.ts";
import {
  calibrationCells,
  type Direction,
  type Mode,
  multiThreadedCells,
  type Pattern,
  type SeedBackend,
  type SeedCell,
} from "./seed_table.ts";

/** One figure of the seed beside the model's; the keys are those of --json. */
export interface PredictedCell {
  /** Which of the seed's tables; 1 also for what table 1 was compared with. */
  readonly table: 1 | 2 | 3;
  /** What was served. */
  readonly backend: SeedBackend;
  /** Reading or writing. */
  readonly direction: Direction;
  /** Sequential or random. */
  readonly pattern: Pattern;
  /** Asynchronous or synchronous. */
  readonly mode: Mode;
  /** fio's jobs. */
  readonly numjobs: number;
  /** The server's threads. */
  readonly threads: number;
  /** The seed's figure, thousands of requests a second. */
  readonly "seed_kiops": number;
  /** The model's figure, thousands of requests a second. */
  readonly "predicted_kiops": number;
  /** Whether the model was fitted to this figure. */
  readonly calibration: boolean;
}

/** How well the model does on the figures that it was not fitted to. */
export interface PredictionScore {
  /** Figures that were predicted. */
  readonly cells: number;
  /** The median of their absolute errors, relative to the seed's figures. */
  readonly medianError: number;
  /** For how many the change from one thread to four has the right sign. */
  readonly signsRight: number;
  /** How many have an error of at most 15 percent. */
  readonly within15: number;
}

/**
 * Puts the model's figure beside each one of the seed: the 32 with one server
 * thread, which it was fitted to, and the 32 with four, which it was not.
 *
 * @param options The model's; the same options give the same figures.
 */
export function predictTable(options: ModelOptions = {}): PredictedCell[] {
  const known = new Map<string, number>();
  // why: enough for a change of one percent to show
  const model = { requests: 12_000, ...options };
  const predict = (cell: SeedCell, calibration: boolean): PredictedCell => {
    const key = workloadKey(cell);
    const kiops = known.get(key) ?? simulate(cell, model).kiops;
    known.set(key, kiops);
    const { changePercent: _, seedKiops, ...rest } = cell;
    return {
      ...rest,
      "seed_kiops": tenths(seedKiops),
      "predicted_kiops": tenths(kiops),
      calibration,
    };
  };
  return [
    ...calibrationCells.map((cell) => predict(cell, true)),
    ...multiThreadedCells.map((cell) => predict(cell, false)),
  ];
}

/** The model's figure against the seed's: 0.1 is ten percent too much. */
export function relativeError(cell: PredictedCell): number {
  return cell.predicted_kiops / cell.seed_kiops - 1;
}

/**
 * What four threads change against one, in percent, for a predicted cell: by
 * the seed, and by the model.
 */
export function threadChange(
  cell: PredictedCell,
  cells: readonly PredictedCell[],
): { seed: number; predicted: number } {
  const base = cells.find((other) =>
    other.calibration && other.backend === cell.backend &&
    other.direction === cell.direction && other.pattern === cell.pattern &&
    other.mode === cell.mode && other.numjobs === cell.numjobs
  )!;
  return {
    seed: 100 * (cell.seed_kiops / base.seed_kiops - 1),
    predicted: 100 * (cell.predicted_kiops / base.predicted_kiops - 1),
  };
}

/** Sums up how well the figures that were not fitted to were predicted. */
export function scoreOf(cells: readonly PredictedCell[]): PredictionScore {
  const predicted = cells.filter(({ calibration }) => !calibration);
  const errors = predicted.map(relativeError);
  return {
    cells: predicted.length,
    medianError: medianAbsolute(errors),
    signsRight: predicted.filter((cell) => {
      const { seed, predicted } = threadChange(cell, cells);
      return Math.sign(seed) === Math.sign(predicted);
    }).length,
    within15: errors.filter((error) => Math.abs(error) <= 0.15).length,
  };
}

/**
 * How the score depends on the CPUs, which the seed does not name.
 *
 * @param cores Numbers of CPUs.
 * @returns A score for each.
 */
export function coreSensitivity(
  cores: readonly number[],
  options: ModelOptions = {},
): (PredictionScore & { cores: number })[] {
  return cores.map((count) => ({
    cores: count,
    ...scoreOf(predictTable({ ...options, cores: count })),
  }));
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10;
}
