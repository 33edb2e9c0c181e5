import { refuse } from "./assertion_error.ts";

// deno-lint-ignore no-explicit-any -- any error class will do
type ErrorClass<E extends Error> = abstract new (...args: any[]) => E;

/**
 * Asserts that a value is an error, and optionally its class and message.
 *
 * @typeParam E The error's type.
 * @param error The value.
 * @param Class The expected class.
 * @param msgMatches A text that the message contains, or a pattern that it
 * matches.
 * @param msg Text to add to the failure message.
 */
export function assertIsError<E extends Error = Error>(
  error: unknown,
  Class?: ErrorClass<E>,
  msgMatches?: string | RegExp,
  msg?: string,
): asserts error is E {
  if (!(error instanceof Error)) {
    refuse('Expected "error" to be an Error object', msg);
  }
  if (Class && !(error instanceof Class)) {
    refuse(
      `Expected error to be instance of "${Class.name}", but was "${error.constructor.name}"`,
      msg,
    );
  }
  if (!msgMatches) return;
  const matches = typeof msgMatches === "string"
    ? error.message.includes(msgMatches)
    : msgMatches.test(error.message);
  if (matches) return;
  const wanted = typeof msgMatches === "string"
    ? JSON.stringify(msgMatches)
    : String(msgMatches);
  refuse(
    `Expected error message to include ${wanted}, but got ${
      JSON.stringify(error.message)
    }`,
    msg,
  );
}

/** The expectations in the arguments after the function. */
interface Wanted<E extends Error> {
  Class: ErrorClass<E> | undefined;
  includes: string | undefined;
  msg: string | undefined;
}

function wanted<E extends Error>(
  classOrMsg: ErrorClass<E> | string | undefined,
  includesOrMsg: string | undefined,
  msg: string | undefined,
): Wanted<E> {
  if (typeof classOrMsg === "string") {
    return { Class: undefined, includes: undefined, msg: classOrMsg };
  }
  return { Class: classOrMsg, includes: includesOrMsg, msg };
}

function check<E extends Error>(
  error: unknown,
  verb: string,
  { Class, includes, msg }: Wanted<E>,
): unknown {
  if (!Class) return error;
  if (!(error instanceof Error)) refuse(`A non-Error object was ${verb}`, msg);
  assertIsError(error, Class, includes, msg);
  return error;
}

/**
 * Asserts that a function throws.
 *
 * @param fn The function.
 * @param msg Text to add to the failure message.
 * @returns The thrown value.
 */
export function assertThrows(fn: () => unknown, msg?: string): unknown;
/**
 * Asserts that a function throws an error of a class.
 *
 * @typeParam E The error's type.
 * @param fn The function.
 * @param Class The expected class.
 * @param msgIncludes A text that the message contains.
 * @param msg Text to add to the failure message.
 * @returns The thrown error.
 */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  Class: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): E;
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  classOrMsg?: ErrorClass<E> | string,
  includesOrMsg?: string,
  msg?: string,
): unknown {
  const want = wanted(classOrMsg, includesOrMsg, msg);
  try {
    fn();
  } catch (error) {
    return check(error, "thrown", want);
  }
  refuse("Expected function to throw", want.msg);
}

/**
 * Asserts that a function returns a promise that rejects. If the function throws
 * instead, the assertion fails.
 *
 * @param fn The function.
 * @param msg Text to add to the failure message.
 * @returns The value that it rejects with.
 */
export function assertRejects(
  fn: () => PromiseLike<unknown>,
  msg?: string,
): Promise<unknown>;
/**
 * Asserts that a function returns a promise that rejects with an error of a
 * class.
 *
 * @typeParam E The error's type.
 * @param fn The function.
 * @param Class The expected class.
 * @param msgIncludes A text that the message contains.
 * @param msg Text to add to the failure message.
 * @returns The error that it rejects with.
 */
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  Class: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
export async function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  classOrMsg?: ErrorClass<E> | string,
  includesOrMsg?: string,
  msg?: string,
): Promise<unknown> {
  const want = wanted(classOrMsg, includesOrMsg, msg);
  let promise: PromiseLike<unknown> | undefined;
  try {
    promise = fn();
  } catch {
    // Reported below, because there is no promise.
  }
  if (typeof promise?.then !== "function") {
    refuse("Function throws when expected to reject", want.msg);
  }
  try {
    await promise;
  } catch (error) {
    return check(error, "rejected", want);
  }
  refuse("Expected function to reject", want.msg);
}
