/**
 * Time: units, and times as the kernel counts them: whole seconds since 1970
 * and nanoseconds from 0 to 999,999,999 that count forward, also before 1970.
 *
 * @module
 */

/** Nanoseconds of one second. */
export const NS_PER_S = 1_000_000_000n;

/** Nanoseconds of one millisecond. */
export const NS_PER_MS = 1_000_000n;

/** Microseconds of one second. */
export const US_PER_S = 1_000_000;

/** Microseconds of one millisecond. */
export const US_PER_MS = 1000;

/** Nanoseconds of one microsecond. */
export const NS_PER_US = 1000;

/** Milliseconds of one second. */
export const MS_PER_S = 1000;

/** The system's time in nanoseconds since 1970, exact to a millisecond. */
export function systemTime(): bigint {
  return BigInt(Date.now()) * NS_PER_MS;
}

/**
 * The seconds of a time, rounded down: `tv_sec`.
 *
 * @param ns Nanoseconds since 1970.
 */
export function secondsOf(ns: bigint): bigint {
  return (ns - remainder(ns)) / NS_PER_S;
}

/**
 * The nanoseconds of a time within its second: `tv_nsec`, 0 to 999,999,999.
 *
 * @param ns Nanoseconds since 1970.
 */
export function nanosecondsOf(ns: bigint): number {
  return Number(remainder(ns));
}

/**
 * Nanoseconds since 1970 of a `struct timespec`.
 *
 * @param seconds `tv_sec`: read as signed, even where it came as an unsigned
 * 64-bit field.
 * @param nanoseconds `tv_nsec`.
 */
export function timeOf(seconds: bigint, nanoseconds: number): bigint {
  return BigInt.asIntN(64, seconds) * NS_PER_S + BigInt(nanoseconds);
}

function remainder(ns: bigint): bigint {
  return ((ns % NS_PER_S) + NS_PER_S) % NS_PER_S;
}
