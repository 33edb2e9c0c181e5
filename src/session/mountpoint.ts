/**
 * Looks a mount point up, checks it, and removes a stale mount, before anything
 * is mounted.
 *
 * @module
 */
import { ERRNO } from "../base/errno.ts";
import { UserError } from "../base/user_error.ts";
import { mountIdOf } from "../linux/mount/fuse_mount.ts";
import { findMount, type Mount, OWN_TYPE } from "../linux/mount/mountinfo.ts";
import {
  awaitServer,
  isOwnStale,
  mountState,
} from "../linux/mount/mount_state.ts";
import { withMountLock } from "../linux/mount/mount_lock.ts";
import { unmountForUser } from "../linux/mount/mount_by_fusermount.ts";
import { closeDescriptor, OPEN } from "../linux/syscall/descriptor.ts";
import type { DirectoryEntry } from "../linux/syscall/directory_entry.ts";
import { findEntry } from "../linux/syscall/path_walk.ts";
import { SystemError } from "../linux/syscall/system_error.ts";
import type { CheckedSessionOptions } from "./session_options.ts";

/**
 * Looks up a mount point, and removes stale mounts of this program from it. A
 * symbolic link is followed, and named by a notice.
 *
 * @param session The mount point as the user wrote it, whether other users may
 * change a part of its path, and what receives a sentence about each mount that
 * was removed.
 * @returns The mount point; the caller closes it.
 * @throws {UserError} If another FUSE mount covers it, or other users can change
 * a part of its path.
 */
export function prepareMountpoint(
  session: Pick<
    CheckedSessionOptions,
    "mountpoint" | "insecurePath" | "notice"
  >,
): DirectoryEntry {
  const { mountpoint, insecurePath, notice } = session;
  const action = `mount on ${mountpoint}`;
  const entry = findEntry(mountpoint, { action, insecurePath, follow: true });
  try {
    if (entry.followed && entry.fd !== null) {
      notice(
        `${mountpoint} is a symbolic link; mounting on ${entry.path}, where it leads`,
      );
    }
    // Not while the lock is held: others would wait too.
    const there = findMount(entry.path);
    if (there !== null) awaitServer(there);
    while (withMountLock(() => clearStale(entry, mountpoint, notice)));
    return entry;
  } catch (error) {
    entry.close();
    throw error;
  }
}

/** Removes the topmost mount if it is stale; returns whether to look again. */
function clearStale(
  entry: DirectoryEntry,
  mountpoint: string,
  notice: (text: string) => void,
): boolean {
  const there = findMount(entry.path);
  if (there === null || !there.type.startsWith("fuse")) return false;
  // While it is open, the kernel does not give its numbers to another mount.
  const handle = openIfThere(entry);
  if (handle === null) return false;
  try {
    if (mountIdOf(handle) !== there.id) return true;
    if (!isOwnStale(there)) throw new UserError(refusal(mountpoint, there));
    if (unmountForUser(there) === "covered") {
      throw new UserError(
        `Cannot mount on ${mountpoint}: another program has just mounted something there; try again`,
      );
    }
  } finally {
    closeDescriptor(handle);
  }
  notice(
    `Removed the stale mount of ${there.source} on ${mountpoint}, whose server had died`,
  );
  return true;
}

function openIfThere(entry: DirectoryEntry): number | null {
  try {
    return entry.open(OPEN.PATH);
  } catch (error) {
    if (error instanceof SystemError && error.errno === ERRNO.ENOENT) {
      return null;
    }
    throw error;
  }
}

function refusal(mountpoint: string, there: Mount): string {
  const what = `Cannot mount on ${mountpoint}:`;
  if (mountState(there) === "dead") {
    return `${what} a dead mount of another program (${there.source}, type ${there.type}) is there (Transport endpoint is not connected); remove it with 'umount ${there.mountPoint}'`;
  }
  return there.type === OWN_TYPE
    ? `${what} ${there.source} is already mounted there by mqfuse; end that mount first or choose another mount point`
    : `${what} another program's mount (${there.source}, type ${there.type}) is there; choose another mount point`;
}
