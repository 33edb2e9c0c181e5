/**
 * The error of a failed system call, with a text for people.
 *
 * @module
 */

import { textAt } from "./ffi_values.ts";
import { UserError } from "../../base/user_error.ts";
import { errnoName } from "../../base/errno.ts";
import { libc } from "./libc.ts";

/** What a {@linkcode SystemError} tells. */
export interface SystemErrorFacts {
  /** The function that failed, such as `openat`. */
  readonly call: string;
  /** What was being done, to what: follows "Cannot", such as `open disk.img`. */
  readonly action: string;
  /** The positive error number, errno(3). */
  readonly errno: number;
  /** Why; strerror(3) of `errno` if left out. */
  readonly reason?: string | undefined;
  /** What to do about it, if that can be told. */
  readonly advice?: string | undefined;
}

/**
 * A system call failed, or was not made because it would do harm.
 *
 * The message reads `Cannot open disk.img: No such file or directory`, with
 * what to do about it in parentheses behind where that is known.
 */
export class SystemError extends UserError {
  /** The positive error number, errno(3). */
  readonly errno: number;
  /** Its name, such as `ENOENT`. */
  readonly code: string;
  /** The function that failed, such as `openat`. */
  readonly call: string;

  /**
   * Makes an error.
   *
   * @param facts What failed, and why.
   */
  constructor(facts: SystemErrorFacts) {
    const reason = facts.reason ?? strerror(facts.errno);
    const advice = facts.advice === undefined ? "" : ` (${facts.advice})`;
    super(`Cannot ${facts.action}: ${reason}${advice}`);
    this.name = "SystemError";
    this.errno = facts.errno;
    this.code = errnoName(facts.errno);
    this.call = facts.call;
  }
}

/**
 * What an error number means, strerror(3).
 *
 * @param errno A positive error number.
 * @returns Such as `No such file or directory`.
 */
export function strerror(errno: number): string {
  return textAt(libc().strerror(errno)) ?? errnoName(errno);
}
