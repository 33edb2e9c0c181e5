/**
 * Values that are there at once or come later. What is there at once is used at
 * once, without a promise.
 *
 * @module
 */
import type { May } from "./file_system.ts";

/** What an operation returns: nothing once it has answered, else a promise. */
export type Answer = May<void>;

/** Whether a value comes later. */
export function isLater<T>(value: May<T>): value is PromiseLike<T> {
  return typeof value === "object" && value !== null &&
    typeof (value as PromiseLike<T>).then === "function";
}

/** Goes on with a value: at once if it is there. */
export function andThen<T, U>(
  value: May<T>,
  next: (value: T) => May<U>,
): May<U> {
  return isLater(value) ? value.then(next) : next(value);
}

/** Goes on with the error of a call, whether it throws or rejects. */
export function orElse<T>(
  call: () => May<T>,
  next: (error: unknown) => May<T>,
): May<T> {
  try {
    const value = call();
    return isLater(value) ? value.then(undefined, next) : value;
  } catch (error) {
    return next(error);
  }
}
