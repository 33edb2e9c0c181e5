/**
 * Opening and closing descriptors, and the flags for it.
 *
 * @module
 */

import { O } from "../../base/file_flags.ts";
import { cString } from "./ffi_values.ts";
import { errno, libc } from "./libc.ts";
import { SystemError } from "./system_error.ts";

const ARM = Deno.build.arch === "aarch64";

/**
 * Flags of open(2) on this machine: those that are the same on every
 * architecture, and those that are not.
 */
export const OPEN = {
  ...O,
  /** A symbolic link at the end is not followed. */
  NOFOLLOW: ARM ? 0o100000 : 0o400000,
  /** Bypass the page cache. */
  DIRECT: ARM ? 0o200000 : 0o40000,
  /** A handle of the path alone: no file system's server is asked. */
  PATH: 0o10000000,
} as const;

/** Stands for the working directory: AT_FDCWD of openat(2). */
export const AT_FDCWD: number = -100;

/** What {@linkcode openDescriptor} may be told beside path and flags. */
export interface OpenOptions {
  /** A descriptor that a relative path starts from; the working directory. */
  readonly directory?: number;
  /** Permission bits of a created file; 0o644. */
  readonly mode?: number;
  /** What the path is called in errors; the path itself. */
  readonly label?: string;
  /** What to do about an error, given its number. */
  readonly advice?: (errno: number) => string | undefined;
}

/**
 * openat(2), close-on-exec always.
 *
 * @param path A path.
 * @param flags {@linkcode OPEN} values, ORed.
 * @param options More.
 * @returns The descriptor.
 * @throws {SystemError} With openat's errno.
 */
export function openDescriptor(
  path: string,
  flags: number,
  options: OpenOptions = {},
): number {
  const { directory = AT_FDCWD, mode = 0o644, label = path } = options;
  const name = cString(path);
  const fd = libc().openat(directory, name, flags | OPEN.CLOEXEC, mode);
  if (fd >= 0) return fd;
  const error = errno();
  throw new SystemError({
    call: "openat",
    action: `open ${label}`,
    errno: error,
    advice: options.advice?.(error),
  });
}

/**
 * close(2). Its errors say nothing that can be acted on: the descriptor is
 * gone whatever it returns.
 *
 * @param fd The descriptor.
 */
export function closeDescriptor(fd: number): void {
  libc().close(fd);
}

/**
 * The path by which the kernel finds what a descriptor is open on, however the
 * directory tree changes meanwhile: proc_pid_fd(5).
 *
 * @param fd A descriptor of this process.
 */
export function pathOfDescriptor(fd: number): string {
  return `/proc/self/fd/${fd}`;
}
