/**
 * Opening and closing file descriptors.
 *
 * @module
 */

import { O } from "../../base/file_flags.ts";
import { ARCHITECTURE } from "./architecture.ts";
import { cString } from "./ffi_values.ts";
import { errno, libc } from "./libc.ts";
import { SystemError } from "./system_error.ts";

/**
 * Flags of open(2): those that are the same on every architecture, and those
 * of this one.
 */
export const OPEN = {
  ...O,
  /** Fail with ENOTDIR if it is not a directory. */
  DIRECTORY: ARCHITECTURE.open.DIRECTORY,
  /** Fail with ELOOP if the last part of the path is a symbolic link. */
  NOFOLLOW: ARCHITECTURE.open.NOFOLLOW,
  /** Bypass the page cache. */
  DIRECT: ARCHITECTURE.open.DIRECT,
  /** Do not open the file itself, so that no FUSE server is involved. */
  PATH: 0o10000000,
} as const;

/** The working directory as the directory of openat(2): AT_FDCWD. */
export const AT_FDCWD: number = -100;

/** The options of {@linkcode openDescriptor}. */
export interface OpenOptions {
  /** The directory of a relative path, the working directory by default. */
  readonly directory?: number;
  /** Permission bits of a created file, 0o644 by default. */
  readonly mode?: number;
  /** The file's name in errors, the path by default. */
  readonly label?: string;
  /** What is being done, in errors; opening the file if left out. */
  readonly action?: string;
  /** What to do about an error number, for the error's message. */
  readonly advice?: (errno: number) => string | undefined;
}

/**
 * Opens a file by openat(2), always close-on-exec.
 *
 * @param path A path.
 * @param flags {@linkcode OPEN} values, ORed.
 * @param options More.
 * @returns The descriptor.
 * @throws {SystemError} With the errno of openat.
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
    action: options.action ?? `open ${label}`,
    errno: error,
    advice: options.advice?.(error),
  });
}

/**
 * Closes a descriptor by close(2). Errors are ignored, because the descriptor is
 * closed in any case.
 *
 * @param fd The descriptor.
 */
export function closeDescriptor(fd: number): void {
  libc().close(fd);
}

/**
 * A path that leads to the file that a descriptor is open on, even if that is
 * renamed: proc_pid_fd(5).
 *
 * @param fd A descriptor of this process.
 */
export function pathOfDescriptor(fd: number): string {
  return `/proc/self/fd/${fd}`;
}
