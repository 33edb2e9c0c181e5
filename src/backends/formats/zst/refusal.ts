import { UserError } from "../../../base/user_error.ts";

/**
 * The refusal of a file.
 *
 * @param name Its name.
 * @param why What is wrong with it, as a clause.
 * @param advice What to do.
 */
export function refusal(
  name: string,
  why: string,
  advice: string = "compare it with its source",
): UserError {
  return new UserError(`Cannot open ${name} as zst: ${why}; ${advice}`);
}
