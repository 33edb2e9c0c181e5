/**
 * An error that the user can mend. Its message is one sentence written for
 * them: what was being done, to what, why it failed, what to do. Programs print
 * the message alone; any other error is a defect and is reported as one.
 *
 * @example
 * ```ts
 * import { UserError } from "@mqfuse/mqfuse";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new UserError("Cannot export disk.img: it is empty");
 * assertEquals(error.name, "UserError");
 * ```
 */
export class UserError extends Error {
  override name = "UserError";
}
