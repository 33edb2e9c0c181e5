import { AssertionError, refuse } from "./assertion_error.ts";
import { equal } from "./equal.ts";
import { diff, format } from "./_format.ts";

function refuseWith(
  message: string,
  note: string | undefined,
  details: string,
): never {
  const end = note ? `: ${note}` : ".";
  throw new AssertionError(`${message}${end}\n\n${details}\n`);
}

/**
 * Asserts that two values are deeply equal, as {@linkcode equal} says.
 *
 * @typeParam T The type of both.
 * @param actual The actual value.
 * @param expected The expected value.
 * @param msg Text to add to the failure message.
 */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  if (equal(actual, expected)) return;
  const lines = diff(format(actual), format(expected));
  refuseWith(
    "Values are not equal",
    msg,
    `[Diff] -Actual / +Expected\n\n${lines}`,
  );
}

/**
 * Asserts that two values are not deeply equal.
 *
 * @typeParam T The type of both.
 * @param actual The actual value.
 * @param expected The value that it must not equal.
 * @param msg Text to add to the failure message.
 */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  if (!equal(actual, expected)) return;
  refuse(
    `Expected actual: ${format(actual)} not to be: ${format(expected)}`,
    msg,
  );
}

/**
 * Asserts that two values are the same, by `Object.is`.
 *
 * @typeParam T The type of the expected value.
 * @param actual The actual value.
 * @param expected The expected value.
 * @param msg Text to add to the failure message.
 */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  msg?: string,
): asserts actual is T {
  if (Object.is(actual, expected)) return;
  const [left, right] = [format(actual), format(expected)];
  if (left === right) {
    const text = "Values have the same structure but are not reference-equal";
    refuseWith(text, msg, left);
  }
  refuseWith("Values are not strictly equal", msg, diff(left, right));
}

/**
 * Asserts that two values are not the same, by `Object.is`.
 *
 * @typeParam T The type of both.
 * @param actual The actual value.
 * @param expected The value that it must not be.
 * @param msg Text to add to the failure message.
 */
export function assertNotStrictEquals<T>(
  actual: T,
  expected: T,
  msg?: string,
): void {
  if (!Object.is(actual, expected)) return;
  refuse(
    `Expected "actual" to not be strictly equal to: ${format(actual)}`,
    msg,
  );
}
