/**
 * A lock against two processes of this program mounting in one directory at the
 * same time: flock(2) of the directory. The mount point itself cannot be locked,
 * because a mount may cover it.
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
import { sleep } from "../syscall/poll.ts";
import { SystemError } from "../syscall/system_error.ts";

// Operations of flock(2).
const LOCK_EX = 2;
const LOCK_NB = 4;

// The lock is held for milliseconds, while a mount is checked and made.
const LOCK_LIMIT_MS = 3000;
const RETRY_MS = 5;

/**
 * Calls a function while the directory of a mount point is locked. Without the
 * lock, two processes could both find the mount point free, and mount one over
 * the other.
 *
 * @param path The absolute path of the mount point.
 * @param use The function; it takes milliseconds and waits for no server.
 * @throws {SystemError} EBUSY if another program keeps the directory locked; and
 * the errors of `use`.
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
    // A directory that may be traversed but not read cannot be locked.
    if (error instanceof SystemError && error.errno === ERRNO.EACCES) {
      return null;
    }
    throw error;
  }
}

function lock(fd: number, path: string, directory: string): void {
  const deadline = performance.now() + LOCK_LIMIT_MS;
  for (;;) {
    if (libc().flock(fd, LOCK_EX | LOCK_NB) === 0) return;
    const error = errno();
    // Some file systems have no locks.
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
    sleep(RETRY_MS);
  }
}
