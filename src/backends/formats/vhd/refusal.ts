import { UserError } from "../../../base/user_error.ts";

/** What to do about an image that makes no sense. */
const COMPARE = "compare it with its source";

/**
 * The refusal of an image.
 *
 * @param name Its name.
 * @param why What is wrong with it, as a clause.
 * @param advice What to do.
 */
export function refusal(
  name: string,
  why: string,
  advice: string = COMPARE,
): UserError {
  return new UserError(`Cannot open ${name} as vhd: ${why}; ${advice}`);
}
