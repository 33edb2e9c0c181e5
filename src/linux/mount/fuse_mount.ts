/**
 * A mounted FUSE connection: unmounting and aborting exactly this one, and no
 * other mount that may have taken its place.
 *
 * @module
 */

import { ERRNO } from "../../base/errno.ts";
import {
  closeDescriptor,
  OPEN,
  openDescriptor,
  pathOfDescriptor,
} from "../syscall/descriptor.ts";
import { cString } from "../syscall/ffi_values.ts";
import { errno, libc } from "../syscall/libc.ts";
import { resultOrNull, SystemError } from "../syscall/system_error.ts";
import { readText } from "../syscall/text_file.ts";
import {
  abortOpened,
  connectionExists,
  openAbort,
  openConnection,
  requestsWaiting,
  writeAbort,
} from "./connection.ts";
import { findUsers } from "./find_users.ts";
import type { MountUsers } from "./mount_users.ts";
import { findMount, type Mount, readMounts } from "./mountinfo.ts";

// Flags of umount2(2). FORCE aborts the connection first, which wakes up its
// readers. DETACH unmounts even if the mount is in use.
const MNT_FORCE = 1;
const MNT_DETACH = 2;
const UMOUNT_NOFOLLOW = 8;

/** How often a mount is looked for whose path changes meanwhile. */
const TRIES = 200;

/**
 * The result of unmounting: `unmounted`; `gone` if there was no such mount any
 * more; `covered` if another mount is on top of it, which is left alone.
 */
export type UnmountResult = "unmounted" | "gone" | "covered";

/** The result of unmounting a mount only if nothing uses it. */
export type UnusedResult = UnmountResult | "busy";

/** A mounted FUSE connection. */
export interface FuseMount {
  /** The mount point's absolute path. */
  readonly path: string;
  /** The mount's id in /proc/self/mountinfo. */
  readonly id: number;
  /** The connection's number: the minor number of the mount's `st_dev`. */
  readonly connection: number;
  /**
   * Aborts the connection and unmounts it, even if it is in use. Does not wait
   * for any server.
   *
   * @throws {SystemError} With the errno of umount2(2).
   */
  unmount(): UnmountResult;
  /**
   * Unmounts it unless it is in use (`busy`), which changes nothing. It waits
   * for no server, because a file's last close has written what was dirty.
   *
   * @throws {SystemError} With the errno of umount2(2), or of fusermount3.
   */
  unmountUnused(): Promise<UnusedResult>;
  /**
   * Finds out what uses it, as far as this process can see; yields all that were
   * found so far.
   *
   * @param isWanted Whether to go on with the search.
   */
  users(isWanted: () => boolean): AsyncIterable<MountUsers>;
  /**
   * Aborts the connection, and leaves the mount as a dead one.
   *
   * @returns False if the mount is gone, or this process may not abort it.
   */
  abort(): boolean;
  /**
   * The number of requests that the kernel waits for; `null` if it does not say:
   * without fusectl, or after `handOver()`.
   */
  waiting(): number | null;
  /**
   * Lets another process unmount it from now on, because this one is about to
   * give up the right to. Aborting stays possible.
   */
  handOver(to: Unmounter): void;
  /**
   * Closes what it holds open; it can then be neither unmounted nor aborted any
   * more.
   */
  close(): void;
}

/** Unmounts one mount. */
export interface Unmounter {
  /** As {@linkcode FuseMount.unmount}. */
  unmount(): UnmountResult;
  /** As {@linkcode FuseMount.unmountUnused}. */
  unmountUnused(): UnusedResult | Promise<UnusedResult>;
}

/**
 * Wraps a mount of this process.
 *
 * @param mount The mount.
 * @param unmount Unmounts it.
 * @param unmountIfUnused Unmounts it unless it is in use.
 */
export function mountHandle(
  mount: Mount,
  unmount: () => UnmountResult,
  unmountIfUnused: () => UnusedResult | Promise<UnusedResult>,
): FuseMount {
  let by: Unmounter = { unmount, unmountUnused: unmountIfUnused };
  // The kernel reuses the id of a mount that is gone, and the number of its
  // connection: unmounting or aborting by them could hit another mount.
  let isUnmounted = false;
  let control = openConnection(mount.minor);
  let abort = abortOpened;
  let isOwnDirectory = true;
  // Another program may have unmounted it.
  const isGone = () =>
    isUnmounted ||
    (control !== null && isOwnDirectory && !connectionExists(control));
  const close = () => {
    if (control !== null) closeDescriptor(control);
    control = null;
    isUnmounted = true;
  };
  return {
    path: mount.mountPoint,
    id: mount.id,
    connection: mount.minor,
    unmount() {
      if (isGone()) return "gone";
      const result = by.unmount();
      if (result !== "unmounted") return result;
      isUnmounted = true;
      // Unmounting by force has aborted the connection.
      close();
      return result;
    },
    async unmountUnused() {
      if (isGone()) return "gone";
      const result = await by.unmountUnused();
      if (result === "unmounted") isUnmounted = true;
      return result;
    },
    users: (isWanted) => findUsers(mount, isWanted),
    // Unmounting an unused mount has not aborted its connection if a copy of it
    // is left in another mount namespace.
    abort: () => control !== null && abort(control),
    waiting: () =>
      control !== null && isOwnDirectory ? requestsWaiting(control) : null,
    handOver(to) {
      by = to;
      if (control === null) return;
      const file = openAbort(control);
      closeDescriptor(control);
      control = file;
      isOwnDirectory = false;
      abort = writeAbort;
    },
    close,
  };
}

/**
 * Unmounts one mount by umount2(2) with MNT_FORCE and MNT_DETACH, which also
 * aborts its connection. Does not wait for any server.
 *
 * @param mount The mount, identified by its id and its connection's number: its
 * path may have changed if a directory was renamed.
 * @throws {SystemError} EPERM without CAP_SYS_ADMIN.
 */
export function unmountExactly(
  mount: Pick<Mount, "id" | "minor">,
): UnmountResult {
  // If another mount has been put on top since it was found, that one is
  // unmounted: the kernel has no call that takes the id of a mount.
  return atMount(mount, (path, name) => {
    const flags = MNT_FORCE | MNT_DETACH | UMOUNT_NOFOLLOW;
    if (libc().umount2(cString(path), flags) === 0) return "unmounted";
    throw unmountError(name, errno());
  });
}

/**
 * Unmounts one mount by umount2(2) without flags, which fails while anything
 * uses the mount: a descriptor, a mapping, a working directory, a loop device.
 *
 * @param mount As for {@linkcode unmountExactly}.
 * @returns `busy` if the mount is in use, and nothing has changed.
 * @throws {SystemError} EPERM without CAP_SYS_ADMIN.
 */
export function unmountUnused(
  mount: Pick<Mount, "id" | "minor">,
): UnusedResult {
  // An open descriptor of the mount would itself make it busy.
  return atMount(mount, (path, name) => {
    if (libc().umount2(cString(path), UMOUNT_NOFOLLOW) === 0) {
      return "unmounted";
    }
    const error = errno();
    if (error === ERRNO.EBUSY) return "busy";
    throw unmountError(name, error);
  });
}

/**
 * Calls a function with a path that leads to a mount, even if its directory is
 * renamed or replaced meanwhile: through a descriptor of that directory. The name
 * in it stays, because the kernel does not rename what is mounted on.
 */
function atMount<T>(
  mount: Pick<Mount, "id" | "minor">,
  use: (path: string, name: string) => T,
): T | "gone" | "covered" {
  for (let tries = 0; tries < TRIES; tries++) {
    const mounts = readMounts();
    const now = mounts.find((other) =>
      other.id === mount.id && other.minor === mount.minor
    );
    if (now === undefined) return "gone";
    const { mountPoint } = now;
    if (findMount(mountPoint, mounts)?.id !== mount.id) return "covered";
    const slash = mountPoint.lastIndexOf("/");
    const directory = resultOrNull(() =>
      openDescriptor(mountPoint.slice(0, slash) || "/", OPEN.PATH)
    );
    if (directory === null) continue;
    try {
      const name = mountPoint.slice(slash + 1);
      if (mountIdAt(directory, name) === mount.id) {
        return use(`${pathOfDescriptor(directory)}/${name}`, mountPoint);
      }
    } finally {
      closeDescriptor(directory);
    }
  }
  return "covered";
}

function mountIdAt(directory: number, name: string): number | null {
  const handle = resultOrNull(() =>
    openDescriptor(name, OPEN.PATH | OPEN.NOFOLLOW, { directory })
  );
  if (handle === null) return null;
  try {
    return mountIdOf(handle);
  } finally {
    closeDescriptor(handle);
  }
}

/**
 * The id of the mount that a descriptor is on: `mnt_id` of proc_pid_fdinfo(5),
 * which involves no server.
 *
 * @param fd A descriptor of this process.
 */
export function mountIdOf(fd: number): number | null {
  return fdinfoNumber(fd, "mnt_id");
}

/**
 * The number of the connection of a /dev/fuse descriptor: `fuse_connection` of
 * its fdinfo, since Linux 6.18.
 *
 * @param fd A descriptor of this process.
 * @returns `null` if the kernel does not say, or there is no connection.
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
