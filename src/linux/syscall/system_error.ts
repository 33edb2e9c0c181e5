/**
 * The error of a failed system call, with a sentence for the user.
 *
 * @module
 */

import { ERRNO, errnoName } from "../../base/errno.ts";
import { UserError } from "../../base/user_error.ts";
import { textAt } from "./ffi_values.ts";
import { libc } from "./libc.ts";

/** The parts of a {@linkcode SystemError}. */
export interface SystemErrorParts {
  /** The function that failed, such as `openat`. */
  readonly call: string;
  /** What was being done, to what: follows "Cannot", such as `open disk.img`. */
  readonly action: string;
  /** The positive error number, errno(3). */
  readonly errno: number;
  /** Why it failed, strerror(3) of `errno` by default. */
  readonly reason?: string | undefined;
  /** What to do about it; what helps in any case for `errno` by default. */
  readonly advice?: string | undefined;
  /** The underlying error, if there is one. */
  readonly cause?: unknown;
}

/** What to do about errors whose remedy is the same for every call. */
const ADVICE: ReadonlyMap<number, string> = new Map([
  [ERRNO.EDQUOT, "free space, or raise the quota"],
  [ERRNO.ELOOP, "give the path that the symbolic links lead to"],
  [ERRNO.EMFILE, "raise the limit on open files: see 'ulimit -n'"],
  [ERRNO.ENAMETOOLONG, "use shorter names"],
  [ERRNO.ENFILE, "raise the sysctl fs.file-max"],
  [ERRNO.ENOMEM, "free memory, or raise the limits on it"],
  [ERRNO.ENOSPC, "free space on the file system"],
  [ERRNO.ENOTDIR, "check the path: a part of it is not a directory"],
]);

/**
 * A system call failed, or was not made because it would do harm.
 *
 * The message is one sentence, such as `Cannot open disk.img: No such file or
 * directory`, followed by what to do about it in parentheses if that is known.
 */
export class SystemError extends UserError {
  /** The positive error number, errno(3). */
  readonly errno: number;
  /** The name of the error number, such as `ENOENT`. */
  readonly code: string;
  /** The function that failed, such as `openat`. */
  readonly call: string;

  /**
   * Composes the message.
   *
   * @param parts What failed, why, and what to do about it.
   */
  constructor(parts: SystemErrorParts) {
    const { call, action, errno, cause } = parts;
    const reason = parts.reason ?? strerror(errno);
    const help = parts.advice ?? ADVICE.get(errno);
    const advice = help === undefined ? "" : ` (${help})`;
    super(
      `Cannot ${action}: ${reason}${advice}`,
      cause === undefined ? {} : { cause },
    );
    this.name = "SystemError";
    this.errno = errno;
    this.code = errnoName(errno);
    this.call = call;
  }
}

/** The result of a call; `null` if it throws a {@linkcode SystemError}. */
export function resultOrNull<T>(call: () => T): T | null {
  try {
    return call();
  } catch (error) {
    if (error instanceof SystemError) return null;
    throw error;
  }
}

/**
 * Describes an error number: strerror(3).
 *
 * @param errno A positive error number.
 * @returns A description such as `No such file or directory`.
 */
export function strerror(errno: number): string {
  return textAt(libc().strerror(errno)) ?? errnoName(errno);
}
