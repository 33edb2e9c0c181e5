import {
  runSimulation,
  type SimulationHooks,
  type SimulationReport,
} from "../../sim/mod.ts";
import { US_PER_MS, US_PER_S } from "../base/timespec.ts";
import type { Command } from "./command.ts";
import { EXIT, type ExitCode } from "./exit_code.ts";
import type { Arguments } from "./options.ts";
import type { Output } from "./output.ts";
import { readSimulation } from "./sim_options.ts";
import { stepProgress } from "./step_progress.ts";
import { queueTable } from "./table.ts";

const SWARM_STEPS = 400;

/** `sim`: simulates a kernel, its clients and what goes wrong. */
export const SIM: Command = {
  name: "sim",
  summary: "simulate a kernel and its clients, by seed, in virtual time",
  description:
    "Runs the same serve loop, export and backends as 'export' does, against a kernel made of TypeScript, with clients like fio's, in virtual time: the same options and seed give the same run. Every reply and every byte is checked; a failure names the command that repeats it. Without options: 4 queues, 4 jobs, depth 16, 4 KiB, random reads. Needs no permission.",
  operands: {},
  options: [
    "queues",
    "jobs",
    "depth",
    "bs",
    "rw",
    "requests",
    "policy",
    "cores",
    "seed",
    "faults",
    "json",
  ],
  examples: {
    "sim --queues=8 --policy=exclusive-fifo": "see how blocked readers share",
    "sim --rw=randrw --faults=all --seed=7": "inject every kind of fault",
  },
  run: runSim,
};

async function runSim(args: Arguments, output: Output): Promise<ExitCode> {
  const simulation = readSimulation(args);
  const { jobs = 4, requests = 2000, faults } = simulation;
  const steps = faults === "swarm" ? SWARM_STEPS : jobs * requests;
  const progress = stepProgress(steps);
  const hooks: SimulationHooks = progress === null
    ? {}
    : { onProgress: progress.reached };
  let report;
  try {
    report = await runSimulation(simulation, hooks);
  } finally {
    await progress?.stop();
  }
  if (output.json) output.print(JSON.stringify(report));
  else tellReport(report, output);
  if (report.failure === null) return EXIT.OK;
  tellFailure(report, output);
  return EXIT.FAILURE;
}

function tellReport(report: SimulationReport, output: Output): void {
  const { virtualUs, steps, errors, requestsPerSecond, faults } = report;
  for (const line of queueTable(report.queues, virtualUs / US_PER_S)) {
    output.print(line);
  }
  const ms = (virtualUs / US_PER_MS).toFixed(1);
  output.print(
    `${steps} steps, ${errors} of them failed, in ${ms} ms of virtual time`,
  );
  output.print(
    `${requestsPerSecond} requests/s, ${report.spuriousWakeups} spurious wake-ups`,
  );
  const injected = Object.entries(faults).map(([name, n]) => `${n} ${name}`);
  if (injected.length > 0) output.print(`injected: ${injected.join(", ")}`);
  output.print(`seed ${report.seed}, log ${report.logHash}`);
}

function tellFailure(
  { failure, replay, smallest }: SimulationReport,
  output: Output,
): void {
  output.say(`mqfuse: ${failure}`);
  output.say(`mqfuse: to see it again: ${replay}`);
  for (const [i, { steps }] of smallest!.clients.entries()) {
    for (const step of steps) {
      output.say(`mqfuse: client ${i}: ${JSON.stringify(step)}`);
    }
  }
  const rates = Object.keys(smallest!.rates);
  if (rates.length > 0) output.say(`mqfuse: with ${rates.join(", ")}`);
}
