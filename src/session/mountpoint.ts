/**
 * Checks a mount point, and removes a stale mount, before anything is mounted.
 *
 * @module
 */
import { UserError } from "../base/user_error.ts";
import { findMount, type Mount, OWN_TYPE } from "../linux/mount/mountinfo.ts";
import { isOwnStale, mountState } from "../linux/mount/mount_state.ts";
import { withMountLock } from "../linux/mount/mount_lock.ts";
import { absolutePath } from "../linux/syscall/paths.ts";
import { unmountForUser } from "../linux/mount/mount_by_fusermount.ts";

/**
 * Removes stale mounts of this program from a mount point.
 *
 * @param mountpoint A path as the user wrote it.
 * @param notice Receives a sentence about each mount that was removed.
 * @returns The absolute path.
 * @throws {UserError} If another FUSE mount covers the path.
 */
export function prepareMountpoint(
  mountpoint: string,
  notice: (text: string) => void,
): string {
  const path = absolutePath(mountpoint);
  // The kernel reuses the ids of mounts. Without the lock, another process could
  // mount here after the check, and its mount would be removed.
  while (withMountLock(path, () => clearStale(path, mountpoint, notice)));
  return path;
}

/** Removes the topmost mount if it is stale; returns whether it did. */
function clearStale(
  path: string,
  mountpoint: string,
  notice: (text: string) => void,
): boolean {
  const there = findMount(path);
  if (there === null || !there.type.startsWith("fuse")) return false;
  if (!isOwnStale(there)) throw new UserError(refusal(mountpoint, there));
  if (unmountForUser(there) === "covered") {
    throw new UserError(
      `Cannot mount on ${mountpoint}: another program has just mounted something there; try again`,
    );
  }
  notice(
    `Removed the stale mount of ${there.source} on ${mountpoint}, whose server had died`,
  );
  return true;
}

function refusal(mountpoint: string, there: Mount): string {
  const what = `Cannot mount on ${mountpoint}:`;
  if (mountState(there) === "dead") {
    return `${what} a dead mount of another program (${there.source}, type ${there.type}) is there (Transport endpoint is not connected); remove it with 'umount ${there.mountPoint}'`;
  }
  return there.type === OWN_TYPE
    ? `${what} ${there.source} is already exported there; end that export first or choose another mount point`
    : `${what} another program's mount (${there.source}, type ${there.type}) is there; choose another mount point`;
}
