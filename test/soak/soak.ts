// deno-lint-ignore-file no-console -- a program: it talks to a terminal
/**
 * Simulates with new seeds until the time is up: `deno task soak --minutes N
 * [--seed S]`. Needs no permission.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { runSimulation } from "../../sim/workload/run_simulation.ts";

const USAGE = "Usage: deno task soak --minutes N [--seed S]";
const FAILURES_MAX = 5;
const REPORT_EVERY_MS = 60_000;

async function main(): Promise<number> {
  const args = parseArgs(Deno.args, { string: ["minutes", "seed"] });
  const minutes = Number(args.minutes ?? NaN);
  const drawn = crypto.getRandomValues(new Uint32Array(1))[0];
  const first = Number(args.seed ?? drawn);
  if (!(minutes > 0) || !Number.isInteger(first)) {
    console.error(USAGE);
    return 2;
  }
  const start = performance.now();
  const end = start + 60_000 * minutes;
  let failures = 0;
  let runs = 0;
  let steps = 0;
  let reported = start;
  for (; performance.now() < end && failures < FAILURES_MAX; runs++) {
    const seed = (first + runs) % 2 ** 32;
    const report = await runSimulation({ seed, faults: "swarm" });
    steps += report.steps;
    if (report.failure !== null) {
      failures++;
      console.log(`${report.failure}\n  ${report.replay}`);
      console.log(`  ${JSON.stringify(report.smallest)}`);
    }
    if (performance.now() - reported < REPORT_EVERY_MS) continue;
    reported = performance.now();
    console.log(`${runs + 1} seeds, ${steps} steps, ${failures} failures`);
  }
  console.log(
    `soak: ${runs} seeds from ${first} on, ${steps} steps, ${failures} failures`,
  );
  return failures === 0 ? 0 : 1;
}

Deno.exitCode = await main();
