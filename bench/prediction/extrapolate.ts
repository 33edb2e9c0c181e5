import type { PredictionPolicy } from "./dispatch.ts";
import { type ModelOptions, simulate } from "./model.ts";
import type { Direction, Mode, Pattern, SeedBackend } from "./seed_table.ts";

/** All policies, in the order in which they are shown. */
export const PREDICTION_POLICIES: readonly PredictionPolicy[] = [
  "round-robin",
  "exclusive-fifo",
  "herd",
  "uring",
];

/** What to extrapolate. */
export interface ExtrapolateOptions
  extends Omit<ModelOptions, "cores" | "policy"> {
  /** What is served; a null disk. */
  readonly backend?: SeedBackend;
  /** Reading or writing; reading. */
  readonly direction?: Direction;
  /** Sequential or random; random. */
  readonly pattern?: Pattern;
  /** Asynchronous or synchronous; asynchronous. */
  readonly mode?: Mode;
  /** fio's jobs: a number, or as many as there are queues; 4. */
  readonly numjobs?: number | "queues";
  /** Numbers of queues, each with a server thread; 1, 2, 4 to 64. */
  readonly queues?: readonly number[];
  /** CPUs: a number, or as many as there are queues; 128. */
  readonly cores?: number | "queues";
  /** Policies; all. */
  readonly policies?: readonly PredictionPolicy[];
}

/** One point of a line. */
export interface SeriesPoint {
  /** Queues, each with a server thread. */
  readonly queues: number;
  /** fio's jobs. */
  readonly numjobs: number;
  /** CPUs. */
  readonly cores: number;
  /** Thousands of requests a second. */
  readonly kiops: number;
  /** Wake-ups for nothing, a request. */
  readonly wastedWakes: number;
}

/** One line: how throughput grows under one policy. */
export interface Series {
  /** How requests find their queue. */
  readonly policy: PredictionPolicy;
  /** By numbers of queues. */
  readonly points: readonly SeriesPoint[];
}

/** How throughput grows with queues, a line for each policy. */
export function extrapolate(options: ExtrapolateOptions = {}): Series[] {
  const {
    backend = "null",
    direction = "read",
    pattern = "rand",
    mode = "aio",
    numjobs = 4,
    queues = [1, 2, 4, 8, 16, 32, 64],
    cores = 128,
    policies = PREDICTION_POLICIES,
    ...model
  } = options;
  return policies.map((policy) => ({
    policy,
    points: queues.map((threads) => {
      const jobs = numjobs === "queues" ? threads : numjobs;
      const cpus = cores === "queues" ? threads : cores;
      const workload = { backend, direction, pattern, mode, threads };
      const { kiops, wastedWakes } = simulate(
        { ...workload, numjobs: jobs },
        { ...model, policy, cores: cpus },
      );
      return {
        queues: threads,
        numjobs: jobs,
        cores: cpus,
        kiops: Math.round(kiops * 10) / 10,
        wastedWakes: Math.round(wastedWakes * 100) / 100,
      };
    }),
  }));
}

/** Formats lines as a table: a row for each number of queues. */
export function formatSeries(series: readonly Series[]): string {
  const points = series[0]?.points ?? [];
  const header = ["queues", "jobs", "cores"].map((name) => name.padStart(6))
    .join(" ") + series.map(({ policy }) => policy.padStart(16)).join("");
  const rows = points.map(({ queues, numjobs, cores }, at) =>
    [queues, numjobs, cores].map((value) => `${value}`.padStart(6)).join(" ") +
    series.map(({ points }) => points[at]!.kiops.toFixed(0).padStart(16))
      .join("")
  );
  return [header, ...rows, ""].join("\n");
}
