import { medianAbsolute, workloadKey } from "./calibrate.ts";
import { type ModelOptions, simulate } from "./model.ts";
import {
  type Backend,
  type Direction,
  type Figure,
  type Mode,
  multiThreadFigures,
  type Pattern,
  singleThreadFigures,
} from "./measured.ts";

/** One measured figure beside the model's; the keys are those of --json. */
export interface PredictedFigure {
  /** The table that the measured figure is from. */
  readonly table: 1 | 2 | 3;
  /** What was served. */
  readonly backend: Backend;
  /** Reading or writing. */
  readonly direction: Direction;
  /** Sequential or random. */
  readonly pattern: Pattern;
  /** Asynchronous or synchronous. */
  readonly mode: Mode;
  /** The number of fio's jobs. */
  readonly numjobs: number;
  /** The number of server threads. */
  readonly threads: number;
  /** The measured throughput in thousands of requests a second. */
  readonly "measured_kiops": number;
  /** The model's throughput in thousands of requests a second. */
  readonly "predicted_kiops": number;
  /** Whether the model was fitted to this figure. */
  readonly calibration: boolean;
}

/** How well the model predicts the figures that it was not fitted to. */
export interface PredictionScore {
  /** The number of these figures. */
  readonly cells: number;
  /** The median of their absolute relative errors. */
  readonly medianError: number;
  /** For how many the change from one thread to four has the right sign. */
  readonly signsRight: number;
  /** How many have an error of at most 15 percent. */
  readonly within15: number;
}

/**
 * Models every measured figure: the 32 with one server thread, which the model
 * was fitted to, and the 32 with four, which it was not.
 *
 * @param options Options of the model; the same ones give the same figures.
 */
export function predictFigures(options: ModelOptions = {}): PredictedFigure[] {
  const known = new Map<string, number>();
  // why: enough requests to show a change of one percent
  const model = { requests: 12_000, ...options };
  const predict = (cell: Figure, calibration: boolean): PredictedFigure => {
    const key = workloadKey(cell);
    const kiops = known.get(key) ?? simulate(cell, model).kiops;
    known.set(key, kiops);
    const { changePercent: _, measuredKiops, ...rest } = cell;
    return {
      ...rest,
      "measured_kiops": tenths(measuredKiops),
      "predicted_kiops": tenths(kiops),
      calibration,
    };
  };
  return [
    ...singleThreadFigures.map((cell) => predict(cell, true)),
    ...multiThreadFigures.map((cell) => predict(cell, false)),
  ];
}

/** The relative error of a figure: 0.1 is ten percent too much. */
export function relativeError(cell: PredictedFigure): number {
  return cell.predicted_kiops / cell.measured_kiops - 1;
}

/**
 * The change in percent from one thread to four for a predicted figure, as
 * measured and in the model.
 */
export function threadChange(
  cell: PredictedFigure,
  cells: readonly PredictedFigure[],
): { measured: number; predicted: number } {
  const base = cells.find((other) =>
    other.calibration && other.backend === cell.backend &&
    other.direction === cell.direction && other.pattern === cell.pattern &&
    other.mode === cell.mode && other.numjobs === cell.numjobs
  )!;
  return {
    measured: 100 * (cell.measured_kiops / base.measured_kiops - 1),
    predicted: 100 * (cell.predicted_kiops / base.predicted_kiops - 1),
  };
}

/** Rates the prediction of the figures that the model was not fitted to. */
export function scoreOf(cells: readonly PredictedFigure[]): PredictionScore {
  const predicted = cells.filter(({ calibration }) => !calibration);
  const errors = predicted.map(relativeError);
  return {
    cells: predicted.length,
    medianError: medianAbsolute(errors),
    signsRight: predicted.filter((cell) => {
      const { measured, predicted } = threadChange(cell, cells);
      return Math.sign(measured) === Math.sign(predicted);
    }).length,
    within15: errors.filter((error) => Math.abs(error) <= 0.15).length,
  };
}

/**
 * Rates the prediction for several numbers of CPUs, which the measurements do
 * not state.
 *
 * @param cores The numbers of CPUs.
 * @param options Options of the model.
 * @returns A score for each.
 */
export function coreSensitivity(
  cores: readonly number[],
  options: ModelOptions = {},
): (PredictionScore & { cores: number })[] {
  return cores.map((count) => ({
    cores: count,
    ...scoreOf(predictFigures({ ...options, cores: count })),
  }));
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10;
}
