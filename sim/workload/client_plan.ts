/**
 * The steps of a simulation's clients, as plain data: generated from a seed,
 * and reduced to find the cause of a failure.
 *
 * @module
 */
import type { Random } from "../determinism/random.ts";

/**
 * One step of a client.
 *
 * @category Simulation
 */
export type Step =
  | {
    readonly do: "read" | "aioRead";
    readonly at: number;
    readonly size: number;
  }
  | {
    readonly do: "write" | "aioWrite" | "append" | "mapWrite";
    readonly at: number;
    readonly size: number;
    /** Makes the written bytes different from those of other steps. */
    readonly mark: number;
  }
  | { readonly do: "mapRead"; readonly at: number; readonly size: number }
  | {
    readonly do: "zero" | "punch" | "fallocate";
    readonly at: number;
    readonly size: number;
  }
  | { readonly do: "truncate" | "ftruncate"; readonly size: number }
  | { readonly do: "lseek"; readonly at: number; readonly whence: number }
  | { readonly do: "chmod"; readonly mode: number }
  | { readonly do: "stat" | "statfs" | "fsync" | "reopen" | "dup" }
  | { readonly do: "think"; readonly us: number };

/**
 * The plan of one client: a process with an open file.
 *
 * @category Simulation
 */
export interface ClientPlan {
  /** The largest number of steps in flight. */
  readonly depth: number;
  /** The steps in their order. */
  readonly steps: readonly Step[];
}

/**
 * The access pattern of a job: fio's `rw`.
 *
 * @category Simulation
 */
export type Pattern =
  | "read"
  | "write"
  | "rw"
  | "randread"
  | "randwrite"
  | "randrw";

/**
 * The names of all patterns.
 *
 * @category Simulation
 */
export const PATTERNS: readonly Pattern[] = [
  "read",
  "write",
  "rw",
  "randread",
  "randwrite",
  "randrw",
];

/**
 * The options of {@linkcode planJob}.
 *
 * @category Simulation
 */
export interface JobOptions {
  /** Size of the disk in bytes. */
  readonly size: number;
  /** The access pattern. */
  readonly pattern: Pattern;
  /** Bytes of each request. */
  readonly blockSize: number;
  /** The number of requests in flight; 1 for synchronous I/O. */
  readonly depth: number;
  /** The number of requests. */
  readonly requests: number;
  /** The number of this job; each job starts at another position. */
  readonly job: number;
  /** The number of jobs. */
  readonly jobs: number;
  /** Start of the range that it uses, in bytes. */
  readonly from: number;
}

/**
 * Plans a job like one of fio's, with direct I/O.
 *
 * @category Simulation
 */
export function planJob(options: JobOptions, random: Random): ClientPlan {
  const { size, pattern, blockSize, depth, requests, job, jobs } = options;
  const from = Math.ceil(options.from / blockSize) * blockSize;
  const blocks = Math.max(1, Math.floor((size - from) / blockSize));
  const first = Math.floor(blocks * job / jobs);
  const isRandom = pattern.startsWith("rand");
  const reads = pattern.endsWith("read");
  const mixed = pattern.endsWith("rw");
  const steps: Step[] = [];
  for (let i = 0; i < requests; i++) {
    const block = isRandom ? random.below(blocks) : (first + i) % blocks;
    const at = from + block * blockSize;
    const isRead = mixed ? random.chance(0.5) : reads;
    if (isRead) {
      steps.push({ do: depth > 1 ? "aioRead" : "read", at, size: blockSize });
    } else {
      steps.push({
        do: depth > 1 ? "aioWrite" : "write",
        at,
        size: blockSize,
        mark: random.below(2 ** 32),
      });
    }
  }
  return { depth, steps };
}

/** The options of {@linkcode planUser}. */
export interface UserOptions {
  /** Size of the disk in bytes. */
  readonly size: number;
  /** The range, at the start of the disk, that this client may map. */
  readonly mapped: { readonly from: number; readonly to: number };
  /** Start of the range that all clients share, in bytes. */
  readonly shared: number;
  /** Largest read or write in bytes. */
  readonly sizeMax: number;
  /** The number of steps. */
  readonly steps: number;
  /** The number of steps in flight. */
  readonly depth: number;
  /** Whether it changes the size. */
  readonly resizes: boolean;
  /** Whether it appends, while no other client changes the size. */
  readonly appends: boolean;
  /**
   * Whether its writes end at the end of the disk, because another client
   * appends.
   */
  readonly clips: boolean;
}

/** Plans a client that makes all kinds of system calls. */
export function planUser(options: UserOptions, random: Random): ClientPlan {
  const steps: Step[] = [];
  const weights = Array.from({ length: 16 }, () => random.fraction() ** 2);
  for (let i = 0; i < options.steps; i++) {
    const step = draw(options, weights, random);
    if (step !== null) steps.push(step);
  }
  return { depth: options.depth, steps };
}

function draw(
  options: UserOptions,
  weights: readonly number[],
  random: Random,
): Step | null {
  const { size, mapped, shared, sizeMax, resizes } = options;
  const { appends, clips } = options;
  const length = 1 + random.below(random.chance(0.5) ? 8192 : sizeMax);
  const at = shared + random.below(size - shared);
  const fits = Math.min(length, size - at);
  const mark = random.below(2 ** 32);
  const room = mapped.to - mapped.from;
  const inMap = mapped.from + random.below(Math.max(1, room - 5000));
  const newSize = shared + random.below(Math.round((size - shared) * 1.2));
  switch (weighted(weights, random)) {
    case 0:
      return { do: "read", at, size: length };
    case 1:
      return { do: "aioRead", at, size: length };
    case 2:
      return { do: "write", at, size: clips ? fits : length, mark };
    case 3:
      return { do: "aioWrite", at, size: fits, mark };
    case 4:
      return appends ? { do: "append", at: 0, size: length, mark } : null;
    case 5:
      return { do: random.pick(["zero", "punch"]), at, size: length };
    case 6:
      if (!resizes) return null;
      return { do: random.pick(["truncate", "ftruncate"]), size: newSize };
    case 7:
      return resizes ? { do: "fallocate", at: newSize, size: length } : null;
    case 8:
      return { do: "lseek", at, whence: random.below(6) };
    case 9:
      return { do: "chmod", mode: 0o600 | random.below(0o100) };
    case 10:
      return { do: random.pick(["stat", "statfs", "fsync"]) };
    case 11:
      return { do: random.pick(["reopen", "dup"]) };
    case 12:
      return { do: "mapRead", at: inMap, size: 1 + random.below(5000) };
    case 13:
      return { do: "mapWrite", at: inMap, size: 1 + random.below(5000), mark };
    default:
      return { do: "think", us: random.below(300) };
  }
}

function weighted(weights: readonly number[], random: Random): number {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  let left = random.fraction() * sum;
  for (const [i, weight] of weights.entries()) {
    left -= weight;
    if (left < 0) return i;
  }
  return weights.length - 1;
}
