import { UserError } from "../base/user_error.ts";

/** The command line is wrong: the program ends with exit code 2. */
export class UsageError extends UserError {
  override name = "UsageError";
}
