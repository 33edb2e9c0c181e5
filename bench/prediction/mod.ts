/**
 * Predicts throughput: a model in virtual time of fio's jobs, the kernel's
 * list of pending requests, and server threads on so many CPUs. It is fitted
 * to the seed's figures with one server thread, and asked for those with four,
 * and for what was not measured.
 *
 * @module
 */
export {
  calibrate,
  type Calibration,
  calibrationErrors,
  medianAbsolute,
} from "./calibrate.ts";
export {
  ASSUMED_CORES,
  ASSUMED_COSTS,
  type AssumedCosts,
  type FittedCosts,
  SHARED_STATE_COSTS,
} from "./costs.ts";
export type { PredictionPolicy } from "./dispatch.ts";
export {
  extrapolate,
  type ExtrapolateOptions,
  formatSeries,
  PREDICTION_POLICIES,
  type Series,
  type SeriesPoint,
} from "./extrapolate.ts";
export { FITTED_COSTS } from "./fitted.ts";
export { formatTable } from "./format.ts";
export { formatCalibration, roundedCost } from "./format_calibration.ts";
export { type ModelOptions, type ModelResult, simulate } from "./model.ts";
export { type PlotOptions, plotSvg } from "./plot.ts";
export {
  coreSensitivity,
  type PredictedCell,
  type PredictionScore,
  predictTable,
  relativeError,
  scoreOf,
  threadChange,
} from "./predict.ts";
export {
  calibrationCells,
  type Direction,
  type Mode,
  multiThreadedCells,
  type Pattern,
  type SeedBackend,
  type SeedCell,
  seedTable,
  type Workload,
} from "./seed_table.ts";
