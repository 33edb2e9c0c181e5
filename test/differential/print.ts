/**
 * Prints the results of scripts on the real kernel and in the simulator, side by
 * side.
 *
 * Usage: deno task differential [SCRIPT]; without one, all that differ.
 *
 * @module
 */
import { libc } from "../../src/linux/syscall/libc.ts";
import { missingForKernel } from "../requirements.ts";
import { inDirectory } from "../mount/_harness.ts";
import { aligned, compare, type Comparison } from "./compare.ts";
import { KNOWN_DIFFERENCES } from "./known_differences.ts";
import { RealKernel } from "./_real.ts";
import { SCRIPTS } from "./scripts/mod.ts";
import { runSimulated } from "./_simulated.ts";
import { type Run, streamOf } from "./stream.ts";

/** Longest time for all scripts. */
const LIMIT_MS = 200_000;

/** A table of two columns, in which lines that differ are marked. */
function sideBySide(
  left: readonly string[],
  right: readonly string[],
): string[] {
  const width = Math.max(...left.map(({ length }) => length));
  return aligned(left, right).map(([a, b]) =>
    `  ${a.padEnd(width)} ${a === b ? " " : "|"} ${b}`.trimEnd()
  );
}

function describe({ script, real, simulated, differences }: Comparison) {
  const known = KNOWN_DIFFERENCES[script.name];
  const verdict = differences.length === 0
    ? "equal"
    : known === undefined
    ? "DIFFERENT"
    : `different, which is known: ${known.reason}`;
  return [
    `${script.name}: ${verdict}`,
    ...script.steps.map((step, i) => `  step ${i}: ${JSON.stringify(step)}`),
    "  Results: real kernel, simulator",
    ...sideBySide(stepsOf(real), stepsOf(simulated)),
    "  Requests: real kernel, simulator",
    ...sideBySide(requestsOf(real), requestsOf(simulated)),
    "",
  ];
}

function stepsOf({ results }: Run): string[] {
  return results.map((result, i) => `step ${i}: ${JSON.stringify(result)}`);
}

function requestsOf({ records }: Run): string[] {
  const { requests, releases, forgotten } = streamOf(records);
  return [
    ...requests,
    ...releases,
    ...forgotten.map((line) => `forgotten ${line}`),
  ];
}

async function main(name: string | undefined): Promise<number> {
  const chosen = SCRIPTS.filter((one) =>
    name === undefined || one.name === name
  );
  if (chosen.length === 0) {
    const names = SCRIPTS.map((one) => `  ${one.name}`).join("\n");
    await say(`There is no script ${name}; the scripts are:\n${names}`);
    return 2;
  }
  const missing = missingForKernel();
  if (missing !== "") {
    await say(`Cannot run scripts on the real kernel: this ${missing}`);
    return 2;
  }
  libc();
  let unknown = 0;
  await inDirectory(async (directory) => {
    await using kernel = await RealKernel.start(directory);
    for (const script of chosen) {
      const real = await kernel.run(script);
      const result = compare(script, real, await runSimulated(script));
      const isSame = result.differences.length === 0;
      if (!isSame && KNOWN_DIFFERENCES[script.name] === undefined) unknown++;
      if (name === undefined && isSame) await say(`${script.name}: equal`);
      else await say(describe(result).join("\n"));
    }
  }, LIMIT_MS);
  return unknown === 0 ? 0 : 1;
}

async function say(text: string): Promise<void> {
  await Deno.stdout.write(new TextEncoder().encode(`${text}\n`));
}

if (import.meta.main) Deno.exit(await main(Deno.args[0]));
