/**
 * How long requests take: a histogram for each queue and kind of request, in
 * memory that all threads share. Its buckets are an eighth of a power of two
 * wide, so figures from it are exact to 12 %.
 *
 * @module
 */
import { US_PER_MS, US_PER_S } from "../base/timespec.ts";
import { OPCODES } from "../protocol/opcodes.ts";

/** The kinds of requests that are measured separately. */
export const OPERATIONS = ["read", "write", "flush", "other"] as const;

/** One of {@linkcode OPERATIONS}. */
export type Operation = typeof OPERATIONS[number];

/** Buckets of one power of two. */
const STEPS = 8;
const STEP_BITS = 3;
/** Each number below this has a bucket of its own. */
const EXACT = 2 * STEPS;
const BUCKETS = EXACT + (31 - STEP_BITS) * STEPS;
const SUM = BUCKETS;
const BYTES = BUCKETS + 1;
const UNITS_PER_US = 8;
const LONGEST = 2 ** 32 - 1;

/** Float64 numbers of one histogram, its sums included. */
export const HISTOGRAM_LENGTH = 256;

/** Measurements of one kind of request over some time. */
export interface OperationTotals {
  /** The kind of request. */
  readonly operation: Operation;
  /** Requests that were answered. */
  readonly requests: number;
  /** Bytes that they read or wrote. */
  readonly bytes: number;
  /** Mean time from taking a request to answering it, in microseconds. */
  readonly meanUs: number;
  /** The 99th percentile of that time, in microseconds, exact to 12 %. */
  readonly p99Us: number;
}

/** The index in {@linkcode OPERATIONS} of an opcode's kind. */
export function operationOf(opcode: number): number {
  switch (opcode) {
    case OPCODES.READ.opcode:
      return 0;
    case OPCODES.WRITE.opcode:
      return 1;
    case OPCODES.FLUSH.opcode:
    case OPCODES.FSYNC.opcode:
      return 2;
    default:
      return 3;
  }
}

/**
 * Adds a request to a histogram.
 *
 * @param histogram {@linkcode HISTOGRAM_LENGTH} numbers.
 * @param ms How long it took, in milliseconds.
 * @param bytes Bytes that it transferred.
 */
export function observe(
  histogram: Float64Array,
  ms: number,
  bytes: number,
): void {
  const units = Math.min(LONGEST, ms * US_PER_MS * UNITS_PER_US);
  histogram[bucketOf(units)]!++;
  histogram[SUM]! += units;
  histogram[BYTES]! += bytes;
}

/** The measurements in a histogram, or in the difference of two. */
export function totalsOf(
  operation: Operation,
  histogram: Float64Array,
): OperationTotals {
  let requests = 0;
  for (let i = 0; i < BUCKETS; i++) requests += histogram[i]!;
  const bytes = histogram[BYTES]!;
  if (requests === 0) {
    return { operation, requests, bytes, meanUs: 0, p99Us: 0 };
  }
  const meanUs = histogram[SUM]! / requests / UNITS_PER_US;
  let rest = Math.ceil(requests * 0.99);
  let bucket = 0;
  while ((rest -= histogram[bucket]!) > 0) bucket++;
  const p99Us = endOf(bucket) / UNITS_PER_US;
  return { operation, requests, bytes, meanUs, p99Us };
}

/** A histogram as Prometheus has it: each bucket includes those before it. */
export interface LatencyHistogram {
  /** Requests that took up to so many seconds, for ascending limits. */
  readonly buckets: readonly {
    readonly seconds: number;
    readonly requests: number;
  }[];
  /** The sum of all times, in seconds. */
  readonly seconds: number;
  /** All requests. */
  readonly requests: number;
}

/** Limits of {@linkcode latencyHistogram}: powers of two, 1 us to 8.4 s. */
const LIMITS_US: readonly number[] = Array.from(
  { length: 24 },
  (_, i) => 2 ** i,
);

/** The counts of a histogram up to each power of two of microseconds. */
export function latencyHistogram(histogram: Float64Array): LatencyHistogram {
  let bucket = 0;
  let requests = 0;
  const buckets = LIMITS_US.map((us) => {
    // Exact, because buckets begin at each power of two.
    const end = bucketOf(us * UNITS_PER_US);
    while (bucket < end) requests += histogram[bucket++]!;
    return { seconds: us / US_PER_S, requests };
  });
  while (bucket < BUCKETS) requests += histogram[bucket++]!;
  const seconds = histogram[SUM]! / UNITS_PER_US / US_PER_S;
  return { buckets, seconds, requests };
}

function bucketOf(units: number): number {
  const value = units >>> 0;
  if (value < EXACT) return value;
  const power = 31 - Math.clz32(value);
  const step = (value >>> (power - STEP_BITS)) & (STEPS - 1);
  return EXACT + (power - STEP_BITS - 1) * STEPS + step;
}

/** The first number after a bucket. */
function endOf(bucket: number): number {
  if (bucket < EXACT) return bucket + 1;
  const power = Math.floor((bucket - EXACT) / STEPS) + STEP_BITS + 1;
  const step = (bucket - EXACT) % STEPS;
  return (STEPS + step + 1) * 2 ** (power - STEP_BITS);
}
