import { refuse } from "./assertion_error.ts";

/**
 * Asserts that a text contains another.
 *
 * @param actual The actual text.
 * @param expected The text that it contains.
 * @param msg Text to add to the failure message.
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
 * @param msg Text to add to the failure message.
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
 * @param msg Text to add to the failure message.
 */
export function assertNotMatch(
  actual: string,
  expected: RegExp,
  msg?: string,
): void {
  if (!expected.test(actual)) return;
  refuse(`Expected actual: "${actual}" to not match: "${expected}"`, msg);
}
