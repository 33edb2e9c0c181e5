import { refuse } from "./assertion_error.ts";
import { format } from "./_format.ts";

/**
 * Asserts `actual > expected`.
 *
 * @typeParam T The type of both.
 * @param actual The actual value.
 * @param expected The bound.
 * @param msg Text to add to the failure message.
 */
export function assertGreater<T>(actual: T, expected: T, msg?: string): void {
  if (actual > expected) return;
  refuse(`Expect ${format(actual)} > ${format(expected)}`, msg);
}

/**
 * Asserts `actual >= expected`.
 *
 * @typeParam T The type of both.
 * @param actual The actual value.
 * @param expected The bound.
 * @param msg Text to add to the failure message.
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
 * @param actual The actual value.
 * @param expected The bound.
 * @param msg Text to add to the failure message.
 */
export function assertLess<T>(actual: T, expected: T, msg?: string): void {
  if (actual < expected) return;
  refuse(`Expect ${format(actual)} < ${format(expected)}`, msg);
}

/**
 * Asserts `actual <= expected`.
 *
 * @typeParam T The type of both.
 * @param actual The actual value.
 * @param expected The bound.
 * @param msg Text to add to the failure message.
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
 * Asserts that two numbers differ by no more than a tolerance.
 *
 * @param actual The actual number.
 * @param expected The expected number.
 * @param tolerance The largest difference; a ten-millionth of `expected` by
 * default, 1e-7 if that is not finite.
 * @param msg Text to add to the failure message.
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
