/**
 * What has to be right about a mountpoint before anything is mounted there.
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
 * Clears a stale mount of this program from a mountpoint, and refuses any
 * other FUSE mount that lies there.
 *
 * @param mountpoint A path as the user wrote it.
 * @param notice Hears of a mount that was cleared.
 * @returns The absolute path.
 * @throws {UserError} With one sentence that says what lies there.
 */
export function prepareMountpoint(
  mountpoint: string,
  notice: (text: string) => void,
): string {
  const path = absolutePath(mountpoint);
  // The lock, because numbers of mounts come again: what is cleared must not
  // be what another process has mounted since the look.
  while (withMountLock(path, () => clearStale(path, mountpoint, notice)));
  return path;
}

/** Clears the topmost mount if it is to go; whether there may be another. */
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
      `Cannot mount on ${mountpoint}: something else was mounted there this moment; try again`,
    );
  }
  notice(
    `Cleared the stale mount of ${there.source} on ${mountpoint}, whose server had died`,
  );
  return true;
}

function refusal(mountpoint: string, there: Mount): string {
  const what = `Cannot mount on ${mountpoint}:`;
  if (mountState(there) === "dead") {
    return `${what} a dead mount of another program (${there.source}, type ${there.type}) lies there, Transport endpoint is not connected; remove it with 'umount ${there.mountPoint}'`;
  }
  return there.type === OWN_TYPE
    ? `${what} ${there.source} is already exported there; end that export first or choose another mountpoint`
    : `${what} another program's mount (${there.source}, type ${there.type}) lies there; choose another mountpoint`;
}
