/**
 * System calls of a {@linkcode MountedProgram}: results, errors, `struct statx`.
 *
 * @module
 */
import { Errno, type ErrnoName, errnoName } from "../src/base/errno.ts";
import { errno } from "../src/linux/syscall/libc.ts";
import {
  type FileStatus,
  statx,
  statxDescriptor,
} from "../src/linux/syscall/statx.ts";
import { AT_FDCWD } from "../src/linux/syscall/descriptor.ts";
import type { Status } from "./program.ts";

/** Makes calls that throw; returns a promise of the result. */
export function calling<T>(act: () => T): Promise<T> {
  return new Promise((resolve) => resolve(act()));
}

/**
 * The result of a C function.
 *
 * @throws {Errno} If it is negative.
 */
export function checked(result: number): number {
  if (result < 0) throw failure(errno());
  return result;
}

/** The attributes of a path. */
export function statusOf(path: string, flags: number): Status {
  return status(statx(AT_FDCWD, path, flags));
}

/** The attributes of an open file. */
export function statusOfDescriptor(fd: number): Status {
  return status(statxDescriptor(fd));
}

function status(found: FileStatus | number): Status {
  if (typeof found === "number") throw failure(-found);
  return { ...found, ino: found.inode };
}

function failure(errno: number): Errno {
  return new Errno(errnoName(errno) as ErrnoName);
}
