/**
 * Units of time, and `struct timespec`: whole seconds since 1970 and nanoseconds
 * from 0 to 999,999,999, which count forward before 1970 too.
 *
 * @module
 */

/** Nanoseconds per second. */
export const NS_PER_S = 1_000_000_000n;

/** Nanoseconds per millisecond. */
export const NS_PER_MS = 1_000_000n;

/** Microseconds per second. */
export const US_PER_S = 1_000_000;

/** Microseconds per millisecond. */
export const US_PER_MS = 1000;

/** Nanoseconds per microsecond. */
export const NS_PER_US = 1000;

/** Milliseconds per second. */
export const MS_PER_S = 1000;

/**
 * A time to set: nanoseconds since 1970, `"now"` for the time of the call
 * (UTIME_NOW), `null` to leave it as it is (UTIME_OMIT).
 *
 * @category Times
 */
export type NewTime = bigint | "now" | null;

/**
 * A clock: the current time in nanoseconds since 1970.
 *
 * @category Times
 */
export type Clock = () => bigint;

/**
 * The current time in nanoseconds since 1970, with a resolution of a
 * millisecond. The kernel stamps files by another clock, which may be a little
 * later: `fileTime()` of `@mqfuse/mqfuse` tells it.
 *
 * @category Times
 */
export function systemTime(): bigint {
  return BigInt(Date.now()) * NS_PER_MS;
}

/**
 * `tv_sec` of a time: its seconds, rounded down.
 *
 * @category Times
 * @param ns Nanoseconds since 1970.
 */
export function secondsOf(ns: bigint): bigint {
  return (ns - remainder(ns)) / NS_PER_S;
}

/**
 * `tv_nsec` of a time: its nanoseconds after {@linkcode secondsOf}, 0 to
 * 999,999,999.
 *
 * @category Times
 * @param ns Nanoseconds since 1970.
 */
export function nanosecondsOf(ns: bigint): number {
  return Number(remainder(ns));
}

/**
 * The nanoseconds since 1970 of a `struct timespec`.
 *
 * @category Times
 * @example Convert a time before 1970
 * ```ts
 * import { nanosecondsOf, secondsOf, timeOf } from "@mqfuse/mqfuse/protocol";
 * import { assertEquals } from "@std/assert";
 *
 * const ns = timeOf(-1n, 500_000_000);
 * assertEquals(ns, -500_000_000n);
 * assertEquals([secondsOf(ns), nanosecondsOf(ns)], [-1n, 500_000_000]);
 * ```
 *
 * @param seconds `tv_sec`; an unsigned 64-bit value is converted to signed.
 * @param nanoseconds `tv_nsec`.
 */
export function timeOf(seconds: bigint, nanoseconds: number): bigint {
  return BigInt.asIntN(64, seconds) * NS_PER_S + BigInt(nanoseconds);
}

function remainder(ns: bigint): bigint {
  return ((ns % NS_PER_S) + NS_PER_S) % NS_PER_S;
}
