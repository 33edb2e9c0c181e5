import { US_PER_S } from "../../src/base/timespec.ts";
import { Random } from "../determinism/random.ts";
import {
  FAULT_NAMES,
  type FaultName,
  ratesOf,
  swarmRates,
} from "../faults/faults.ts";
import type { PolicyName } from "../kernel/policy.ts";
import {
  type ClientPlan,
  type Pattern,
  planJob,
  planUser,
} from "./client_plan.ts";
import { shrinkPlan } from "./shrink.ts";
import { simulatePlan } from "./simulation.ts";
import type {
  SimCosts,
  SimulationHooks,
  SimulationOutcome,
  SimulationPlan,
} from "./simulation_plan.ts";

const MIB = 1 << 20;
const MAPPED = 65536;
const COSTS: SimCosts = {
  serverUs: 2.5,
  kibUs: 0.15,
  clientUs: 2,
  wakeUs: [3, 6],
  backendUs: 0,
};

/**
 * What {@linkcode runSimulation} simulates.
 *
 * @category Simulation
 */
export interface SimulationOptions {
  /** The number of queues; 4 if left out. */
  readonly queues?: number;
  /** The number of jobs like fio's; 4 if left out. */
  readonly jobs?: number;
  /** Requests that each job has in flight; 16 if left out. */
  readonly depth?: number;
  /** Bytes of each request; 4096 if left out. */
  readonly blockSize?: number;
  /** The access pattern; random reads if left out. */
  readonly pattern?: Pattern;
  /**
   * The policy that chooses the queue of each request; round-robin if left out.
   */
  readonly policy?: PolicyName | "uring";
  /** The number of CPUs; that of queues and jobs together if left out. */
  readonly cores?: number;
  /** The seed of all random numbers; 1 if left out. */
  readonly seed?: number;
  /** The number of requests of each job; 2000 if left out. */
  readonly requests?: number;
  /**
   * The faults to inject, or `"swarm"`: then faults, clients, sizes and queues
   * are all drawn from the seed, and the other options do not apply. None if
   * left out.
   */
  readonly faults?: readonly FaultName[] | "swarm";
}

/**
 * The result of a simulation: plain data, the same for the same options.
 *
 * @category Simulation
 */
export interface SimulationReport extends Omit<SimulationOutcome, "log"> {
  /** The seed. */
  readonly seed: number;
  /** The policy. */
  readonly policy: PolicyName | "uring";
  /** Requests a second of virtual time. */
  readonly requestsPerSecond: number;
  /** The command that repeats the run. */
  readonly replay: string;
  /** The smallest plan found that still fails; `null` if nothing failed. */
  readonly smallest: SimulationPlan | null;
}

/**
 * Simulates a whole export under load, in virtual time.
 *
 * @param options What is simulated.
 * @param hooks Ways to watch the run and to replace parts of it.
 *
 * @example Inject two faults
 * ```ts
 * import { runSimulation } from "@mqfuse/mqfuse/sim";
 * import { assertEquals } from "@std/assert";
 *
 * const report = await runSimulation({
 *   jobs: 2,
 *   requests: 50,
 *   seed: 7,
 *   faults: ["delayed-reply", "double-reply"],
 * });
 * assertEquals(report.failure, null);
 * ```
 *
 * @category Simulation
 */
export async function runSimulation(
  options: SimulationOptions = {},
  hooks: SimulationHooks = {},
): Promise<SimulationReport> {
  const plan = planOf(options);
  const { log: _, ...outcome } = await simulatePlan(plan, hooks);
  // Smaller plans are run many times, and nothing of them is drawn.
  const { onTimeline: __, ...others } = hooks;
  const seconds = Math.max(1, outcome.virtualUs) / US_PER_S;
  const requests = outcome.queues.reduce((sum, row) => sum + row.requests, 0);
  return {
    ...outcome,
    seed: plan.seed,
    policy: plan.policy,
    requestsPerSecond: Math.round(requests / seconds),
    replay: replayOf(options),
    smallest: outcome.failure === null ? null : await shrinkPlan(plan, others),
  };
}

/** The plan of a simulation with these options. */
export function planOf(options: SimulationOptions): SimulationPlan {
  const seed = options.seed ?? 1;
  if (options.faults === "swarm") return swarmPlan(seed);
  const { queues = 4, jobs = 4, depth = 16, blockSize = 4096 } = options;
  const { pattern = "randread", requests = 2000 } = options;
  const random = new Random(seed);
  const size = Math.max(16 * MIB, 16 * blockSize);
  const clients = Array.from({ length: jobs }, (_, job) =>
    planJob({
      size,
      pattern,
      blockSize,
      depth,
      requests,
      job,
      jobs,
      from: 0,
    }, random));
  return {
    seed,
    queues,
    capacity: 64,
    policy: options.policy ?? "round-robin",
    cores: options.cores ?? queues + jobs,
    costs: COSTS,
    size,
    growable: false,
    isNull: false,
    requestTimeout: 0,
    rates: ratesOf(options.faults ?? []),
    clients,
  };
}

/**
 * Draws a plan from a seed: clients of all kinds, faults, sizes and queues.
 *
 * @category Simulation
 */
export function swarmPlan(seed: number): SimulationPlan {
  const random = new Random(seed);
  const size = 300_000 + random.below(400_000);
  const users = random.between(1, 4);
  const shared = users * MAPPED;
  const growable = random.chance(0.4);
  const appends = growable && random.chance(0.4);
  const resizes = !appends && random.chance(0.5);
  const clients: ClientPlan[] = Array.from(
    { length: users },
    (_, user) =>
      planUser({
        size,
        mapped: { from: user * MAPPED, to: (user + 1) * MAPPED },
        shared,
        sizeMax: 300_000,
        steps: random.between(10, 60),
        depth: random.chance(0.5) ? 1 : random.between(2, 6),
        resizes,
        appends: appends && user === 0,
        clips: appends,
      }, random),
  );
  if (random.chance(0.5)) {
    clients.push(planJob({
      size,
      pattern: random.pick(["randrw", "rw", "randread", "write"]),
      blockSize: random.pick([512, 4096, 20_000]),
      depth: random.between(1, 16),
      requests: 100,
      job: 0,
      jobs: 1,
      from: shared,
    }, random));
  }
  if (appends) clients[0] = { ...clients[0]!, depth: 1 };
  return {
    seed,
    queues: random.between(1, 4),
    capacity: random.pick([1, 2, 16]),
    policy: random.pick(["round-robin", "exclusive-fifo", "herd", "uring"]),
    cores: random.between(1, 4),
    costs: { ...COSTS, backendUs: random.pick([0, 20]) },
    size,
    growable,
    isNull: false,
    rates: random.chance(0.2) ? {} : swarmRates(random),
    requestTimeout: random.chance(0.25) ? random.between(5, 60) : 0,
    clients,
  };
}

function replayOf(options: SimulationOptions): string {
  const words = ["mqfuse sim", `--seed ${options.seed ?? 1}`];
  const { faults } = options;
  if (faults === "swarm") return [...words, "--faults swarm"].join(" ");
  const { queues, jobs, depth, blockSize, pattern, policy, cores } = options;
  const given = { queues, jobs, depth, policy, cores };
  for (const [name, value] of Object.entries(given)) {
    if (value !== undefined) words.push(`--${name} ${value}`);
  }
  if (blockSize !== undefined) words.push(`--bs ${blockSize}`);
  if (pattern !== undefined) words.push(`--rw ${pattern}`);
  if (options.requests !== undefined) {
    words.push(`--requests ${options.requests}`);
  }
  const isAll = faults?.length === FAULT_NAMES.length;
  if (isAll) words.push("--faults all");
  else if (faults?.length) words.push(`--faults ${faults.join(",")}`);
  return words.join(" ");
}
