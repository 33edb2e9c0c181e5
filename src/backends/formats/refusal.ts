import { UserError } from "../../base/user_error.ts";

/** What to do about an image that is damaged, and that nothing repairs. */
export const COMPARE = "compare it with its source";

/**
 * Makes the refusal of an image.
 *
 * @param name Its name.
 * @param why What is wrong with it, as a clause.
 * @param advice What to do; that of the format if left out.
 */
export type Refusal = (name: string, why: string, advice?: string) => UserError;

/**
 * The refusals of a format.
 *
 * @param format Its prefix.
 * @param usual What to do about an image that is damaged.
 */
export function refusalsOf(format: string, usual: string = COMPARE): Refusal {
  return (name, why, advice = usual) =>
    new UserError(`Cannot open ${name} as ${format}: ${why}; ${advice}`);
}
