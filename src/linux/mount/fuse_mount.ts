/**
 * Taking one certain mount down, and no other that may lie in its place.
 *
 * @module
 */

import { type Mount, readMounts } from "./mountinfo.ts";
import { cString } from "../syscall/ffi_values.ts";
import { readText } from "../syscall/text_file.ts";
import { ERRNO } from "../../base/errno.ts";
import { abortConnection } from "./connection.ts";
import {
  closeDescriptor,
  OPEN,
  openDescriptor,
  pathOfDescriptor,
} from "../syscall/descriptor.ts";
import { errno, libc } from "../syscall/libc.ts";
import { SystemError } from "../syscall/system_error.ts";

// Flags of umount2(2). FORCE ends the connection first, so that nobody sleeps
// on; DETACH takes the mount away though files on it are open.
const MNT_FORCE = 1;
const MNT_DETACH = 2;

/**
 * How an unmount ended: `unmounted`; `gone` if it was not there any more;
 * `covered` if another mount lies on it, which is not ours to take down.
 */
export type UnmountResult = "unmounted" | "gone" | "covered";

/** A mounted FUSE connection. */
export interface FuseMount {
  /** The mount point's absolute path. */
  readonly path: string;
  /** The mount's number in /proc/self/mountinfo. */
  readonly id: number;
  /** The connection's number: minor of the mount's `st_dev`. */
  readonly connection: number;
  /**
   * Ends the connection and takes the mount down, though it be in use; leaves
   * any other mount alone that lies at the path by now. Waits for nobody.
   *
   * @throws {SystemError} With umount2(2)'s errno.
   */
  unmount(): UnmountResult;
  /**
   * Ends the connection and leaves the mount as a dead one.
   *
   * @returns False if it is gone, or this process may not end it.
   */
  abort(): boolean;
}

/**
 * The handle of a mount that has been made.
 *
 * @param mount The mount.
 * @param unmount Takes it down.
 */
export function mountHandle(
  mount: Mount,
  unmount: () => UnmountResult,
): FuseMount {
  // The kernel gives away the numbers of a mount as soon as that has gone:
  // looking for them again would find a mount of somebody else.
  let isDown = false;
  return {
    path: mount.mountPoint,
    id: mount.id,
    connection: mount.minor,
    unmount() {
      if (isDown) return "gone";
      const result = unmount();
      isDown = result === "unmounted";
      return result;
    },
    // Unmounting has ended the connection.
    abort: () => !isDown && abortExactly(mount),
  };
}

/**
 * umount2(2) with MNT_FORCE and MNT_DETACH of one mount: ends its connection,
 * and takes it down though it be in use. Asks no server.
 *
 * @param mount The mount; told by its number and its connection's number, and
 * found again if its directory has been renamed.
 * @throws {SystemError} EPERM without CAP_SYS_ADMIN.
 */
export function unmountExactly(
  mount: Pick<Mount, "id" | "minor">,
): UnmountResult {
  const now = readMounts().find((other) =>
    other.id === mount.id && other.minor === mount.minor
  );
  if (now === undefined) return "gone";
  const place = openDescriptor(now.mountPoint, OPEN.PATH | OPEN.NOFOLLOW);
  try {
    if (mountIdOf(place) !== mount.id) return "covered";
    // Through the descriptor, so that the path cannot lead elsewhere by now. A
    // mount laid on ours since the line above would go instead: the kernel
    // follows it upwards, and has no call that names a mount by its number.
    const target = cString(pathOfDescriptor(place));
    if (libc().umount2(target, MNT_FORCE | MNT_DETACH) === 0) {
      return "unmounted";
    }
    throw unmountError(now.mountPoint, errno());
  } finally {
    closeDescriptor(place);
  }
}

/**
 * Ends the connection of one mount, which may be gone already: then its number
 * may be another's by now, whose connection is left alone.
 *
 * @param mount The mount.
 * @returns False if it is gone, or this process may not end it.
 */
export function abortExactly(mount: Mount): boolean {
  const sharers = readMounts().filter(({ major, minor }) =>
    major === 0 && minor === mount.minor
  );
  // None if it was detached while in use: the number is still its own.
  const isOwn = sharers.length === 0 ||
    sharers.some(({ id, source }) =>
      id === mount.id && source === mount.source
    );
  return isOwn && abortConnection(mount.minor);
}

/**
 * The number of the mount that a descriptor is on: `mnt_id` of
 * proc_pid_fdinfo(5), which asks no file system's server.
 *
 * @param fd A descriptor of this process.
 */
export function mountIdOf(fd: number): number | null {
  return fdinfoNumber(fd, "mnt_id");
}

/**
 * The number of the connection that a /dev/fuse descriptor is bound to:
 * `fuse_connection` of its fdinfo, Linux 6.18.
 *
 * @param fd A descriptor of this process.
 * @returns `null` if the kernel does not tell, or it is not bound.
 */
export function connectionOf(fd: number): number | null {
  return fdinfoNumber(fd, "fuse_connection");
}

function fdinfoNumber(fd: number, field: string): number | null {
  const line = readText(`/proc/self/fdinfo/${fd}`).split("\n")
    .find((text) => text.startsWith(`${field}:`));
  return line === undefined ? null : Number(line.slice(field.length + 1));
}

function unmountError(path: string, error: number): SystemError {
  return new SystemError({
    call: "umount2",
    action: `unmount ${path}`,
    errno: error,
    advice: error === ERRNO.EPERM
      ? `run as root, or 'fusermount3 -u ${path}'`
      : undefined,
  });
}
