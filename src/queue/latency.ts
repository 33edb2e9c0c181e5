/**
 * How long requests take: for each queue and kind of request a histogram in
 * memory that all threads share. Its steps are an eighth of a power of two, so
 * that what is read from it is exact to 12 %.
 *
 * @module
 */
import { US_PER_MS } from "../base/timespec.ts";
import { OPCODES } from "../protocol/opcodes.ts";

/** The kinds of requests that are told apart. */
export const OPERATIONS = ["read", "write", "flush", "other"] as const;

/** One of {@linkcode OPERATIONS}. */
export type Operation = typeof OPERATIONS[number];

/** Steps of one power of two. */
const STEPS = 8;
const STEP_BITS = 3;
/** Up to here, each number has a step of its own. */
const EXACT = 2 * STEPS;
const BUCKETS = EXACT + (31 - STEP_BITS) * STEPS;
const SUM = BUCKETS;
const BYTES = BUCKETS + 1;
const UNITS_PER_US = 8;
const LONGEST = 2 ** 32 - 1;

/** Numbers of one histogram, with its sums, as Float64. */
export const HISTOGRAM_LENGTH = 256;

/** What was measured of one kind of request in some time. */
export interface OperationTotals {
  /** Which. */
  readonly operation: Operation;
  /** How many were answered. */
  readonly requests: number;
  /** Bytes that they read or wrote. */
  readonly bytes: number;
  /** Mean time from taking one to answering it, in microseconds. */
  readonly meanUs: number;
  /** What 99 of 100 took at most, in microseconds, exact to 12 %. */
  readonly p99Us: number;
}

/** Index of the kind that an opcode is of. */
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
 * Counts a request.
 *
 * @param histogram {@linkcode HISTOGRAM_LENGTH} numbers.
 * @param ms How long it took, in milliseconds.
 * @param bytes What it moved.
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

/** What a histogram, or the difference of two, says. */
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

function bucketOf(units: number): number {
  const value = units >>> 0;
  if (value < EXACT) return value;
  const power = 31 - Math.clz32(value);
  const step = (value >>> (power - STEP_BITS)) & (STEPS - 1);
  return EXACT + (power - STEP_BITS - 1) * STEPS + step;
}

/** The number behind the last one of a bucket. */
function endOf(bucket: number): number {
  if (bucket < EXACT) return bucket + 1;
  const power = Math.floor((bucket - EXACT) / STEPS) + STEP_BITS + 1;
  const step = (bucket - EXACT) % STEPS;
  return (STEPS + step + 1) * 2 ** (power - STEP_BITS);
}
