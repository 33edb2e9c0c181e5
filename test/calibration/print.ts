// deno-lint-ignore-file no-console -- a program: it talks to a terminal
/**
 * Shows how the prediction's costs follow from the figures with one server
 * thread alone: `deno task sim:calibrate`. Needs no permission.
 *
 * @module
 */
import { calibrate, formatCalibration } from "../../bench/prediction/mod.ts";

console.log(formatCalibration(calibrate()).trimEnd());
