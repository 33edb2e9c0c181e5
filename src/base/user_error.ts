/**
 * An error that the user can correct. Its message is one sentence that stands
 * alone: what was being done, to what, why it failed, and what to do about it.
 * `cause` is the underlying error, if there is one. A program prints the
 * message and nothing else; any other error is a defect.
 *
 * @example
 * ```ts
 * import { UserError } from "@mqfuse/mqfuse";
 * import { assertEquals } from "@std/assert";
 *
 * const cause = new Error("connection refused");
 * const error = new UserError(
 *   `Cannot open nbd://localhost: ${cause.message}; start the server first`,
 *   { cause },
 * );
 * assertEquals([error.name, error.cause], ["UserError", cause]);
 * ```
 *
 * @category Errors
 */
export class UserError extends Error {
  /** `UserError`, or the name of a class that extends it. */
  override name = "UserError";
}
