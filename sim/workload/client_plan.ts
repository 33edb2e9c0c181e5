/**
 * What the clients of a simulation do, as plain data: made by seed, and cut
 * down when a failure is to be understood.
 *
 * @module
 */
import type { Random } from "../determinism/random.ts";

/** One step of a client. */
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
    /** What is written; no two steps have the same. */
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

/** One client: a process with an open file. */
export interface ClientPlan {
  /** Steps that are under way together at most. */
  readonly depth: number;
  /** What it does, in this order. */
  readonly steps: readonly Step[];
}

/** The pattern of a job, as fio's `rw`. */
export type Pattern =
  | "read"
  | "write"
  | "rw"
  | "randread"
  | "randwrite"
  | "randrw";

/** The names of all patterns. */
export const PATTERNS: readonly Pattern[] = [
  "read",
  "write",
  "rw",
  "randread",
  "randwrite",
  "randrw",
];

/** What a job of fio's kind does. */
export interface JobOptions {
  /** Size of the disk in bytes. */
  readonly size: number;
  /** The pattern. */
  readonly pattern: Pattern;
  /** Bytes of a step. */
  readonly blockSize: number;
  /** Steps that are under way together; with 1 they are synchronous. */
  readonly depth: number;
  /** Steps in all. */
  readonly requests: number;
  /** The number of the job, which begins at another place than the others. */
  readonly job: number;
  /** How many jobs there are. */
  readonly jobs: number;
  /** Where the part of the disk starts that it uses. */
  readonly from: number;
}

/** A job like one of fio's, with direct I/O. */
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

/** What a user may do. */
export interface UserOptions {
  /** Size of the disk in bytes. */
  readonly size: number;
  /** Bytes at the start that belong to the mappings of this user alone. */
  readonly mapped: { readonly from: number; readonly to: number };
  /** Where the part starts that all users share. */
  readonly shared: number;
  /** Largest read or write in bytes. */
  readonly sizeMax: number;
  /** Steps in all. */
  readonly steps: number;
  /** Steps that are under way together. */
  readonly depth: number;
  /** Whether the size may change. */
  readonly resizes: boolean;
  /** Whether it appends, and nobody else changes the size. */
  readonly appends: boolean;
  /** Whether its writes end at the end, so that another one may append. */
  readonly clips: boolean;
}

/** A user who does all kinds of things. */
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
