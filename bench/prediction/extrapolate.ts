import type { PredictionPolicy } from "./dispatch.ts";
import { type ModelOptions, simulate } from "./model.ts";
import type { Backend, Direction, Mode, Pattern } from "./measured.ts";

/** All policies, in the order of the columns. */
export const PREDICTION_POLICIES: readonly PredictionPolicy[] = [
  "round-robin",
  "exclusive-fifo",
  "herd",
  "uring",
];

/** The options of {@linkcode extrapolate}. */
export interface ExtrapolateOptions
  extends Omit<ModelOptions, "cores" | "policy"> {
  /** What is served; a null disk if left out. */
  readonly backend?: Backend;
  /** Reading or writing; reading if left out. */
  readonly direction?: Direction;
  /** Sequential or random; random if left out. */
  readonly pattern?: Pattern;
  /** Asynchronous or synchronous; asynchronous if left out. */
  readonly mode?: Mode;
  /** The number of fio's jobs, or "queues" for one a queue; 4 if left out. */
  readonly numjobs?: number | "queues";
  /**
   * The numbers of queues, each with a server thread; 1, 2, 4 to 64 if left
   * out.
   */
  readonly queues?: readonly number[];
  /** The number of CPUs, or "queues" for one a queue; 128 if left out. */
  readonly cores?: number | "queues";
  /** The policies; all if left out. */
  readonly policies?: readonly PredictionPolicy[];
}

/** One point of a line. */
export interface SeriesPoint {
  /** The number of queues, each with a server thread. */
  readonly queues: number;
  /** The number of fio's jobs. */
  readonly numjobs: number;
  /** The number of CPUs. */
  readonly cores: number;
  /** Thousands of requests a second. */
  readonly kiops: number;
  /** Spurious wake-ups a request. */
  readonly spuriousWakeups: number;
}

/** The line of one policy. */
export interface Series {
  /** The policy. */
  readonly policy: PredictionPolicy;
  /** The points, by number of queues. */
  readonly points: readonly SeriesPoint[];
}

/** Models throughput for several numbers of queues, one line a policy. */
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
      const { kiops, spuriousWakeups } = simulate(
        { ...workload, numjobs: jobs },
        { ...model, policy, cores: cpus },
      );
      return {
        queues: threads,
        numjobs: jobs,
        cores: cpus,
        kiops: Math.round(kiops * 10) / 10,
        spuriousWakeups: Math.round(spuriousWakeups * 100) / 100,
      };
    }),
  }));
}

/** Formats lines as a table with a row for each number of queues. */
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
