import type { FileSystem } from "../src/filesystem/file_system.ts";
import { simulate } from "../sim/workload/simulate.ts";
import { Random } from "../sim/determinism/random.ts";
import { claim } from "./check.ts";
import { disturb, slow } from "./disturb.ts";
import { MountedProgram } from "./mounted_program.ts";
import {
  checkConformanceOptions,
  type ConformanceFault,
  type ConformanceOptions,
  type ConformanceRules,
  type Feature,
  FEATURES,
} from "./options.ts";
import { ATTRIBUTE_STEPS } from "./steps/attributes.ts";
import { EXISTING_STEPS, refusalStep } from "./steps/existing.ts";
import { FILE_STEPS } from "./steps/files.ts";
import { LINK_STEPS } from "./steps/links.ts";
import { LISTING_STEPS } from "./steps/listing.ts";
import { NAME_STEPS } from "./steps/names.ts";
import { RANDOM_STEPS } from "./steps/random.ts";
import { RENAME_STEPS } from "./steps/renames.ts";
import { TOGETHER_STEPS } from "./steps/together.ts";
import { XATTR_STEPS } from "./steps/xattrs.ts";
import type { Program } from "./program.ts";
import { removeTree } from "./remove_tree.ts";
import { type Step, Trial } from "./trial.ts";

const STEPS: readonly Step[] = [
  ...EXISTING_STEPS,
  ...NAME_STEPS,
  ...FILE_STEPS,
  ...ATTRIBUTE_STEPS,
  ...LISTING_STEPS,
  ...RENAME_STEPS,
  ...LINK_STEPS,
  ...XATTR_STEPS,
  ...TOGETHER_STEPS,
  ...RANDOM_STEPS,
];

/**
 * What the suite is run on: a file system, or a function that makes one for each
 * step, which are simulated; or the path of a mount.
 *
 * @category Conformance
 */
export type ConformanceSubject<N extends object, H> =
  | FileSystem<N, H>
  | (() => FileSystem<N, H> | PromiseLike<FileSystem<N, H>>)
  | string;

/**
 * One step of the suite.
 *
 * @category Conformance
 */
export interface ConformanceStep {
  /** What is expected. */
  readonly name: string;
  /** Why it is left out: what the options say is lacking; `null` if it is run. */
  readonly leftOut: string | null;
  /**
   * Runs it.
   *
   * @throws {ConformanceError} If the file system does something else.
   */
  readonly run: () => Promise<void>;
}

/**
 * The steps of a suite that uses a file system as programs do, and compares what
 * they find with what Linux's own file systems do. It needs no test runner: each
 * step has a name and a function.
 *
 * A file system is simulated, which needs no permission; each step is run
 * undisturbed, and again with faults that the seed decides. If the subject is
 * the path of a mount, the steps use it by blocking calls (`--allow-ffi`), so
 * they must run in another process or Worker than the one that serves it.
 *
 * The steps that change something work in directories of their own, which they
 * make in the root and remove.
 *
 * @example In `deno test`
 * ```ts ignore
 * import { conformance } from "@mqfuse/mqfuse/conformance";
 * import { MyFileSystem } from "./my_file_system.ts";
 *
 * const steps = conformance(() => new MyFileSystem(), { lacks: ["hard links"] });
 * for (const { name, leftOut, run } of steps) {
 *   Deno.test({ name, ignore: leftOut !== null, fn: run });
 * }
 * ```
 *
 * @category Conformance
 * @throws {UserError} If an option cannot be used.
 */
export function conformance<N extends object, H>(
  subject: ConformanceSubject<N, H>,
  options: ConformanceOptions<N> = {},
): ConformanceStep[] {
  const rules = checkConformanceOptions(options);
  const refusals = Array.from(rules.lacks, refusalStep);
  const steps = [...STEPS, ...refusals.filter((step) => step !== null)];
  const kinds = typeof subject === "string" || rules.faults.length === 0
    ? [[]]
    : [[], rules.faults];
  return kinds.flatMap((faults) =>
    steps.map((step, index) => ({
      name: faults.length === 0
        ? step.name
        : `${step.name} (${faults.join(", ")}, seed ${rules.seed})`,
      leftOut: whyLeftOut(step, rules),
      run: () => {
        const run = { step, index, rules, faults };
        return typeof subject === "string"
          ? runMounted(subject, run)
          : runSimulated(subject, run, options);
      },
    }))
  );
}

/** One run of a step. */
interface Run {
  readonly step: Step;
  readonly index: number;
  readonly rules: ConformanceRules;
  readonly faults: readonly ConformanceFault[];
}

function whyLeftOut({ needs }: Step, { lacks }: ConformanceRules) {
  const lacking = needs.filter((feature: Feature) => lacks.has(feature));
  if (lacking.length === 0) return null;
  return lacking.map((feature) => FEATURES[feature]).join(", ");
}

async function runMounted(path: string, run: Run): Promise<void> {
  const program = new MountedProgram(path);
  const random = new Random(run.rules.seed);
  await runIn(run, random, (directory) => {
    return new Trial(program, run.rules, random, directory, () => DONE);
  });
}

const DONE: Promise<void> = Promise.resolve();

async function runSimulated<N extends object, H>(
  subject: Exclude<ConformanceSubject<N, H>, string>,
  run: Run,
  options: ConformanceOptions<N>,
): Promise<void> {
  const { rules, faults } = run;
  const random = new Random(rules.seed + run.index);
  const made = typeof subject === "function" ? await subject() : subject;
  const fs = faults.includes("slow") ? slow(made, random.fork()) : made;
  const reports: unknown[] = [];
  await using simulation = await simulate(fs, {
    report: (error) => reports.push(error),
    ...options.simulate,
  });
  const client = simulation.client();
  const program: Program = faults.length === 0 ? client : disturb(client, {
    random: random.fork(),
    ...faults.includes("interrupt")
      ? { interrupt: () => client.signals.send("interrupt") }
      : {},
    ...faults.includes("forget")
      ? { forget: () => simulation.tree.dropCaches() }
      : {},
  });
  await runIn(run, random, (directory) => {
    const forget = () => simulation.dropCaches();
    return new Trial(program, rules, random, directory, forget);
  });
  await simulation.dropCaches();
  const { handler } = simulation;
  const [first] = reports;
  claim(first === undefined, `a method failed without an errno: ${first}`);
  claim(handler.handles === 0, `${handler.handles} files stay open`);
  claim(handler.nodes === 1, `${handler.nodes - 1} nodes are not forgotten`);
}

/** Runs a step in a directory of its own, which is removed again. */
async function runIn(
  { step, index, rules }: Run,
  random: Random,
  begin: (directory: string) => Trial,
): Promise<void> {
  if (!step.needs.includes("writing") || rules.lacks.has("writing")) {
    return await step.run(begin(""));
  }
  const directory = `conformance-${index}-${random.below(2 ** 32)}`;
  const trial = begin(directory);
  await trial.program.mkdir(directory, 0o777);
  await step.run(trial);
  await removeTree(trial, directory);
}
