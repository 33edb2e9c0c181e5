/**
 * Errors of system calls as answers to a program.
 *
 * @module
 */
import { ERRNO, Errno, type ErrnoName, errnoName } from "../base/errno.ts";
import { errno } from "../linux/syscall/libc.ts";

/** The error of a number, EIO for one without a name. */
export function failureOf(number: number): Errno {
  const name = errnoName(number);
  return new Errno(Object.hasOwn(ERRNO, name) ? name as ErrnoName : "EIO");
}

/**
 * Checks the result of the last system call.
 *
 * @returns The result, which is not negative.
 * @throws {Errno} With the error number of the call.
 */
export function checked(result: number): number {
  if (result < 0) throw failureOf(errno());
  return result;
}
