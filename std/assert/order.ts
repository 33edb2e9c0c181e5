import { refuse } from "./assertion_error.ts";
import { format } from "./_format.ts";

/**
 * Asserts `actual > expected`.
 *
 * @typeParam T The type of both.
 * @param actual The value at hand.
 * @param expected The bound.
 * @param msg Words to add when it does not hold.
 */
export function assertGreater<T>(actual: T, expected: T, msg?: string): void {
  if (actual > expected) return;
  refuse(`Expect ${format(actual)} > ${format(expected)}`, msg);
}

/**
 * Asserts `actual >= expected`.
 *
 * @typeParam T The type of both.
 * @param actual The value at hand.
 * @param expected The bound.
 * @param msg Words to add when it does not hold.
 */
export function assertGreaterOrEqual<T>(
  actual: T,
  expected: T,
  msg?: string,
): void {
  if (actual >= expected) return;
  refuse(`Expect ${format(actual)} >= ${format(expected)}`, msg);
}

/**
 * Asserts `actual < expected`.
 *
 * @typeParam T The type of both.
 * @param actual The value at hand.
 * @param expected The bound.
 * @param msg Words to add when it does not hold.
 */
export function assertLess<T>(actual: T, expected: T, msg?: string): void {
  if (actual < expected) return;
  refuse(`Expect ${format(actual)} < ${format(expected)}`, msg);
}

/**
 * Asserts `actual <= expected`.
 *
 * @typeParam T The type of both.
 * @param actual The value at hand.
 * @param expected The bound.
 * @param msg Words to add when it does not hold.
 */
export function assertLessOrEqual<T>(
  actual: T,
  expected: T,
  msg?: string,
): void {
  if (actual <= expected) return;
  refuse(`Expect ${format(actual)} <= ${format(expected)}`, msg);
}

/**
 * Asserts that two numbers are no further apart than a tolerance.
 *
 * @param actual The number at hand.
 * @param expected The number wanted.
 * @param tolerance How far apart they may be: a ten-millionth of `expected`
 * unless told, or 1e-7 where that is not finite.
 * @param msg Words to add when they are too far apart.
 */
export function assertAlmostEquals(
  actual: number,
  expected: number,
  tolerance?: number,
  msg?: string,
): void {
  if (Object.is(actual, expected)) return;
  const bound = tolerance ??
    (Number.isFinite(expected) ? Math.abs(expected * 1e-7) : 1e-7);
  const distance = Math.abs(expected - actual);
  if (distance <= bound) return;
  refuse(
    `Expected actual: "${actual}" to be close to "${expected}": ` +
      `delta "${distance}" is greater than "${bound}"`,
    msg,
  );
}
