/**
 * One mount at a time in each directory, among the processes of this program:
 * flock(2) of the directory, since the mount point itself may be covered.
 *
 * @module
 */

import { ERRNO } from "../../base/errno.ts";
import {
  closeDescriptor,
  OPEN,
  openDescriptor,
} from "../syscall/descriptor.ts";
import { errno, libc } from "../syscall/libc.ts";
import { SystemError } from "../syscall/system_error.ts";

// Operations of flock(2).
const LOCK_EX = 2;
const LOCK_NB = 4;

// Whoever has the lock looks and mounts, which takes milliseconds.
const PATIENCE_MS = 3000;
const LOOK_AGAIN_MS = 5;

/**
 * Does something about a mount point while no other process of this program
 * does the like: two that saw it free would mount one over the other.
 *
 * @param path The mount point, absolute.
 * @param use What to do; takes milliseconds and asks no server.
 * @throws {SystemError} EBUSY if somebody keeps the directory locked; and what
 * `use` throws.
 */
export function withMountLock<T>(path: string, use: () => T): T {
  const directory = path.slice(0, path.lastIndexOf("/")) || "/";
  const fd = openForLock(directory);
  if (fd === null) return use();
  try {
    lock(fd, path, directory);
    return use();
  } finally {
    closeDescriptor(fd);
  }
}

function openForLock(directory: string): number | null {
  try {
    return openDescriptor(directory, OPEN.RDONLY);
  } catch (error) {
    // Who may pass through a directory but not read it goes without.
    if (error instanceof SystemError && error.errno === ERRNO.EACCES) {
      return null;
    }
    throw error;
  }
}

function lock(fd: number, path: string, directory: string): void {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    if (libc().flock(fd, LOCK_EX | LOCK_NB) === 0) return;
    const error = errno();
    // Some file systems know no locks.
    if (error !== ERRNO.EAGAIN && error !== ERRNO.EINTR) return;
    if (performance.now() >= deadline) {
      throw new SystemError({
        call: "flock",
        action: `mount on ${path}`,
        errno: ERRNO.EBUSY,
        reason: `another program keeps ${directory} locked`,
        advice: "try again, or choose a mount point in another directory",
      });
    }
    // Nothing to look at: poll(2) of no descriptor is a sleep.
    libc().poll(null, 0n, LOOK_AGAIN_MS);
  }
}
