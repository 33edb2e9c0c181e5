/**
 * A suite that any file system can be tested by: {@linkcode conformance} gives
 * its steps, to be run by `deno test`, `node:test` or {@linkcode runConformance}.
 *
 * @module
 */
export {
  conformance,
  type ConformanceStep,
  type ConformanceSubject,
} from "./conformance.ts";
export { type ConformanceReport, runConformance } from "./run_conformance.ts";
export { ConformanceError } from "./check.ts";
export {
  type ConformanceFault,
  type ConformanceOptions,
  type Feature,
  FEATURES,
} from "./options.ts";
