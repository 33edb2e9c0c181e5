import { AssertionError, refuse } from "./assertion_error.ts";

/** The type of falsy values. */
export type Falsy = false | 0 | 0n | "" | null | undefined;

// deno-lint-ignore no-explicit-any -- any class will do
type AnyClass = abstract new (...args: any[]) => any;

/**
 * Asserts that a value is truthy.
 *
 * @param expr The value.
 * @param msg The failure message.
 */
export function assert(expr: unknown, msg = ""): asserts expr {
  if (!expr) throw new AssertionError(msg);
}

/**
 * Asserts that a value is falsy.
 *
 * @param expr The value.
 * @param msg The failure message.
 */
export function assertFalse(expr: unknown, msg = ""): asserts expr is Falsy {
  if (expr) throw new AssertionError(msg);
}

/**
 * Asserts that a value is neither null nor undefined.
 *
 * @typeParam T The value's type.
 * @param actual The value.
 * @param msg Text to add to the failure message.
 */
export function assertExists<T>(
  actual: T,
  msg?: string,
): asserts actual is NonNullable<T> {
  if (actual !== undefined && actual !== null) return;
  refuse(
    `Expected actual: "${actual}" to not be null or undefined`,
    msg,
  );
}

/**
 * Asserts that a value is an instance of a class.
 *
 * @typeParam T The class.
 * @param actual The value.
 * @param expectedType The class.
 * @param msg Text to add to the failure message.
 */
export function assertInstanceOf<T extends AnyClass>(
  actual: unknown,
  expectedType: T,
  msg?: string,
): asserts actual is InstanceType<T> {
  if (actual instanceof expectedType) return;
  const found = typeof actual === "object" && actual !== null
    ? `"${actual.constructor?.name ?? "Object"}"`
    : `type: "${actual === null ? "null" : typeof actual}"`;
  refuse(
    `Expected object to be an instance of "${expectedType.name}" but was ${found}`,
    msg,
  );
}

/**
 * Always fails.
 *
 * @param msg Text to add to the failure message.
 */
export function fail(msg?: string): never {
  refuse("Failed assertion", msg);
}

/**
 * Always fails, for code that should be unreachable.
 *
 * @param reason Why it should be unreachable.
 */
export function unreachable(reason?: string): never {
  refuse("Unreachable", reason);
}
