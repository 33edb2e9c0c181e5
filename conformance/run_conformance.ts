import {
  conformance,
  type ConformanceStep,
  type ConformanceSubject,
} from "./conformance.ts";
import type { ConformanceOptions } from "./options.ts";

/**
 * How a file system did.
 *
 * @category Conformance
 */
export interface ConformanceReport {
  /** The names of the steps that passed. */
  readonly passed: readonly string[];
  /** The steps that failed, and what each threw. */
  readonly failed: readonly {
    readonly name: string;
    readonly error: unknown;
  }[];
  /** The steps that were not run, and what the options say is lacking. */
  readonly leftOut: readonly { readonly name: string; readonly why: string }[];
}

/**
 * Runs all steps of {@linkcode conformance}, one after the other.
 *
 * @example
 * ```ts ignore
 * import { runConformance } from "@mqfuse/mqfuse/conformance";
 *
 * const report = await runConformance("/mnt/mine");
 * for (const { name, error } of report.failed) console.error(name, error);
 * for (const { name, why } of report.leftOut) console.log("left out", name, why);
 * ```
 *
 * @category Conformance
 * @throws {UserError} If an option cannot be used.
 */
export async function runConformance<N extends object, H>(
  subject: ConformanceSubject<N, H>,
  options: ConformanceOptions<N> = {},
): Promise<ConformanceReport> {
  const passed: string[] = [];
  const failed: { name: string; error: unknown }[] = [];
  const leftOut: { name: string; why: string }[] = [];
  for (const step of conformance(subject, options)) {
    const { name, leftOut: why } = step;
    if (why !== null) {
      leftOut.push({ name, why });
      continue;
    }
    const error = await errorOf(step);
    if (error === null) passed.push(name);
    else failed.push({ name, error });
  }
  return { passed, failed, leftOut };
}

async function errorOf(step: ConformanceStep): Promise<unknown> {
  try {
    await step.run();
    return null;
  } catch (error) {
    return error;
  }
}
