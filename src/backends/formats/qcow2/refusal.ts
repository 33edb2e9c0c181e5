import { UserError } from "../../../base/user_error.ts";

/** What to do about an image whose header or tables make no sense. */
const CHECK = "compare it with its source, or look with 'check'";

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
  advice: string = CHECK,
): UserError {
  return new UserError(`Cannot open ${name} as qcow2: ${why}; ${advice}`);
}
