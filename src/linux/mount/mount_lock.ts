/**
 * A lock against two exports of one user that start at the same moment, so that
 * the second one sees the mount of the first.
 *
 * It is on a file that no other user can open, because users may lock any file
 * that they can open: with a lock on the mount point's directory, another user
 * could make root wait (CWE-412), and so could the script that starts the export.
 * Mounting is right without the lock too: see `refuseHiding()`. But then a mount
 * that hides another one may be seen for a moment.
 *
 * @module
 */

import { closeDescriptor, OPEN } from "../syscall/descriptor.ts";
import { libc } from "../syscall/libc.ts";
import { findEntry } from "../syscall/path_walk.ts";
import { sleep } from "../syscall/poll.ts";
import { environmentVariable } from "../syscall/process.ts";
import { statxDescriptor } from "../syscall/statx.ts";
import { resultOrNull } from "../syscall/system_error.ts";

const ROOT = 0;
const NAME = "mqfuse.lock";
const OWNER_ONLY = 0o600;
const OTHERS = 0o077;

// Operations of flock(2).
const LOCK_EX = 2;
const LOCK_NB = 4;

// The lock is held for milliseconds, while a mount is checked and made.
const LOCK_LIMIT_MS = 3000;
const RETRY_MS = 5;

/**
 * Calls a function while this user's lock is held. Without a directory for the
 * lock file (/run for root, `$XDG_RUNTIME_DIR` for others), or if the lock is
 * held for three seconds, it is called all the same.
 *
 * @param use The function; it takes milliseconds and waits for no server.
 * @throws The errors of `use`.
 */
export function withMountLock<T>(use: () => T): T {
  const fd = resultOrNull(openLock);
  if (fd === null) return use();
  try {
    lock(fd);
    return use();
  } finally {
    closeDescriptor(fd);
  }
}

function openLock(): number | null {
  const uid = libc().geteuid();
  const directory = uid === ROOT
    ? "/run"
    : environmentVariable("XDG_RUNTIME_DIR") ?? `/run/user/${uid}`;
  const action = "lock the mounts of this user";
  using entry = findEntry(`${directory}/${NAME}`, { action });
  const fd = entry.open(OPEN.RDWR | OPEN.CREAT, { mode: OWNER_ONLY });
  const status = statxDescriptor(fd);
  const isOurs = typeof status !== "number" && status.kind === "file" &&
    status.uid === uid && (status.mode & OTHERS) === 0;
  if (isOurs) return fd;
  closeDescriptor(fd);
  return null;
}

function lock(fd: number): void {
  const deadline = performance.now() + LOCK_LIMIT_MS;
  while (libc().flock(fd, LOCK_EX | LOCK_NB) !== 0) {
    if (performance.now() >= deadline) return;
    sleep(RETRY_MS);
  }
}
