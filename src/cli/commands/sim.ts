import { ProgressBar } from "@std/cli/unstable-progress-bar";
import {
  runSimulation,
  type SimulationHooks,
  type SimulationOptions,
  type SimulationReport,
  type Timeline,
} from "../../../sim/mod.ts";
import { US_PER_MS, US_PER_S } from "../../base/timespec.ts";
import type { Arguments } from "../arguments/read_arguments.ts";
import { type Command, EXIT, type ExitCode } from "../command.ts";
import type { Output } from "../output/output.ts";
import { queueTable } from "../output/table.ts";
import {
  readTimelineFiles,
  writeTimeline,
} from "../timeline/write_timeline.ts";
import { readSimulation } from "./sim_arguments.ts";

const SWARM_STEPS = 400;
/** Runs of at least this many steps get a progress bar. */
const PROGRESS_STEPS_MIN = 20_000;

/** `sim`: simulates a kernel, its clients and faults. */
export const SIM: Command = {
  name: "sim",
  summary: "simulate a kernel and its clients, by seed, in virtual time",
  description:
    "Runs the serve loop, the export and the backends of 'export' against a simulated kernel, with clients like fio's, in virtual time. The same options and seed give the same run. Every reply and every byte is checked; after a failure, the command that repeats it is printed. Default: 4 queues, 4 jobs, depth 16, 4 KiB, random reads. Needs no permission, except to write files.",
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
    "timeline",
    "window",
    "json",
  ],
  optionHelp: {
    queues: "simulate N queues (default: 4)",
    json: "print the report as one line of JSON",
  },
  examples: {
    "sim --queues=8 --policy=exclusive-fifo":
      "see how requests spread over blocked readers",
    "sim --rw=randrw --faults=all --seed=7": "inject every kind of fault",
    "sim --policy=herd --depth=1 --timeline=herd.svg":
      "see each request wake all workers",
  },
  run: runSim,
};

async function runSim(args: Arguments, output: Output): Promise<ExitCode> {
  const simulation = readSimulation(args);
  const { values } = args;
  const files = readTimelineFiles(
    values.get("timeline"),
    values.get("window"),
  );
  let timeline: Timeline | null = null;
  const report = await runWithProgress(simulation, output, {
    ...files.paths.length === 0 ? {} : {
      onTimeline: (recorded) => timeline = recorded,
    },
  });
  if (timeline !== null) writeTimeline(timeline, files, report.replay);
  if (output.json) output.print(JSON.stringify(report));
  else tellReport(report, output);
  if (report.failure === null) return EXIT.OK;
  tellFailure(report, output);
  return EXIT.FAILURE;
}

/** Runs a simulation; a long one shows a progress bar on a terminal. */
async function runWithProgress(
  simulation: SimulationOptions,
  output: Output,
  watching: SimulationHooks,
): Promise<SimulationReport> {
  const { jobs = 4, requests = 2000, faults } = simulation;
  const steps = faults === "swarm" ? SWARM_STEPS : jobs * requests;
  if (steps < PROGRESS_STEPS_MIN || !output.live) {
    return await runSimulation(simulation, watching);
  }
  const bar = new ProgressBar({
    max: steps,
    clear: true,
    formatter: ({ styledTime, progressBar, value }) =>
      `[${styledTime}] [${progressBar}] ${value} of ${steps} steps`,
  });
  const hooks: SimulationHooks = {
    ...watching,
    onProgress: (done) => bar.value = done,
  };
  try {
    return await runSimulation(simulation, hooks);
  } finally {
    await bar.stop();
  }
}

function tellReport(report: SimulationReport, output: Output): void {
  const { virtualUs, steps, errors, requestsPerSecond, faults } = report;
  for (const line of queueTable(report.queues, virtualUs / US_PER_S)) {
    output.print(line);
  }
  const ms = (virtualUs / US_PER_MS).toFixed(1);
  output.print(`${steps} steps, ${errors} failed, in ${ms} ms of virtual time`);
  output.print(
    `${requestsPerSecond} requests/s, ${report.spuriousWakeups} spurious wake-ups`,
  );
  const injected = Object.entries(faults).map(([name, n]) => `${n} ${name}`);
  if (injected.length > 0) {
    output.print(`faults injected: ${injected.join(", ")}`);
  }
  output.print(`seed ${report.seed}, log ${report.logHash}`);
}

function tellFailure(
  { failure, replay, smallest }: SimulationReport,
  output: Output,
): void {
  const steps = smallest!.clients.flatMap(({ steps }, i) =>
    steps.map((step) => `client ${i}: ${JSON.stringify(step)}`)
  );
  const rates = Object.keys(smallest!.rates);
  const lines = [
    failure!,
    `to repeat it: ${replay}`,
    ...steps,
    ...rates.length > 0 ? [`with ${rates.join(", ")}`] : [],
  ];
  output.log(
    "error",
    { message: failure, replay, smallest },
    lines.map((line) => `mqfuse: ${line}`),
  );
}
