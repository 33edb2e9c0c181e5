import { refuse } from "./assertion_error.ts";

/**
 * Asserts that a text contains another.
 *
 * @param actual The text at hand.
 * @param expected The text to find in it.
 * @param msg Words to add when it is not there.
 */
export function assertStringIncludes(
  actual: string,
  expected: string,
  msg?: string,
): void {
  if (actual.includes(expected)) return;
  refuse(`Expected actual: "${actual}" to contain: "${expected}"`, msg);
}

/**
 * Asserts that a text matches a pattern.
 *
 * @param actual The text.
 * @param expected The pattern.
 * @param msg Words to add when it does not.
 */
export function assertMatch(
  actual: string,
  expected: RegExp,
  msg?: string,
): void {
  if (expected.test(actual)) return;
  refuse(`Expected actual: "${actual}" to match: "${expected}"`, msg);
}

/**
 * Asserts that a text does not match a pattern.
 *
 * @param actual The text.
 * @param expected The pattern.
 * @param msg Words to add when it does.
 */
export function assertNotMatch(
  actual: string,
  expected: RegExp,
  msg?: string,
): void {
  if (!expected.test(actual)) return;
  refuse(`Expected actual: "${actual}" to not match: "${expected}"`, msg);
}
