/**
 * Mounting, and unmounting, for users who may not: by fusermount3.
 *
 * @module
 */

import {
  abortExactly,
  type FuseMount,
  mountHandle,
  unmountExactly,
  type UnmountResult,
} from "./fuse_mount.ts";
import type { MountOptions } from "./mount_by_syscall.ts";
import {
  checkMountPoint,
  mountIdsAt,
  type MountPoint,
  mountPointError,
  newMountAt,
  openMountPoint,
} from "./mount_point.ts";
import { type Mount, readMounts } from "./mountinfo.ts";
import { readLink } from "../syscall/paths.ts";
import { ERRNO } from "../../base/errno.ts";
import { closeDescriptor, pathOfDescriptor } from "../syscall/descriptor.ts";
import {
  escapeOption,
  findFusermount,
  fusermount,
  fusermountUnmount,
} from "./fusermount.ts";
import { withMountLock } from "./mount_lock.ts";
import { type MountWatcher, watchMount } from "./mount_watcher.ts";
import { SystemError } from "../syscall/system_error.ts";

/**
 * Whether users other than the mount's owner may come in: `auto` if that is
 * allowed, and silently not otherwise.
 */
export type AllowOther = "off" | "on" | "auto";

/** What to mount, where and how. */
export interface UserMountOptions
  extends Omit<MountOptions, "fd" | "uid" | "gid" | "allowOther"> {
  /** Whether other users may come in; needs `user_allow_other`. */
  readonly allowOther: AllowOther;
  /** Have it unmounted when this process dies; yes if left out. */
  readonly autoUnmount?: boolean;
}

/** A mount made by {@linkcode mountByFusermount}. */
export interface UserMount {
  /** The connection's descriptor: blocking, close-on-exec. */
  readonly fd: number;
  /** The mount. */
  readonly mount: FuseMount;
  /** Whether other users may come in. */
  readonly allowOther: boolean;
  /** Whether it is unmounted when this process dies. */
  readonly autoUnmount: boolean;
}

/**
 * Mounts a new connection by fusermount3. The kernel sends INIT at once; until
 * it is answered, whoever looks at the mount waits.
 *
 * The mount point is opened without following a symbolic link and checked, but
 * fusermount3 takes a path: it opens what is there by then, for writing and as
 * this user, and mounts through that descriptor. If that was something else
 * than what was checked, it is unmounted again.
 *
 * @param options What, where and how.
 * @throws {SystemError} As `mountBySyscall` about the mount point, ESTALE if it was
 * exchanged meanwhile, and as {@linkcode fusermount}.
 */
export function mountByFusermount(options: UserMountOptions): UserMount {
  const place = openMountPoint(options.mountpoint);
  try {
    return withMountLock(place.path, () => {
      checkMountPoint(place, options);
      return mountAt(place, options);
    });
  } finally {
    // Kept open, it would make everyone else's unmount fail with EBUSY.
    closeDescriptor(place.fd);
  }
}

function mountAt(place: MountPoint, options: UserMountOptions): UserMount {
  const before = mountIdsAt(place.path);
  const { fd, allowOther } = callFusermount(place.path, options);
  try {
    const mount = foundAgain(place, before, fd, options);
    const watcher = options.autoUnmount === false ? null : watch(mount);
    return {
      fd,
      mount: handleOf(mount, watcher),
      allowOther,
      autoUnmount: watcher !== null,
    };
  } catch (error) {
    // The last descriptor: ends the connection wherever it is mounted.
    closeDescriptor(fd);
    throw error;
  }
}

function foundAgain(
  place: MountPoint,
  before: ReadonlySet<number>,
  fd: number,
  options: UserMountOptions,
): Mount {
  const mount = newMountAt(place.path, before, fd);
  const stays = readLink(pathOfDescriptor(place.fd)) === place.path;
  if (mount !== null && stays) return mount;
  if (mount !== null) unmountForUser(mount);
  throw mountPointError(options, {
    errno: ERRNO.ESTALE,
    reason: "the mount point was moved or replaced this moment",
    advice: "choose one in a directory that only you may write to",
  });
}

function watch(mount: Mount): MountWatcher | null {
  try {
    return watchMount({ mount, fusermount: findFusermount() });
  } catch (error) {
    // Without a shell, a stale mount waits for the next start to clear it.
    if (error instanceof SystemError) return null;
    throw error;
  }
}

function callFusermount(
  path: string,
  options: UserMountOptions,
): { fd: number; allowOther: boolean } {
  const { allowOther } = options;
  const plain = helperOptions(options);
  if (allowOther !== "off") {
    try {
      const fd = fusermount(path, [...plain, "allow_other"]);
      return { fd, allowOther: true };
    } catch (error) {
      if (allowOther === "on" || !isRefusal(error)) throw error;
    }
  }
  return { fd: fusermount(path, plain), allowOther: false };
}

// Everything but a missing fusermount3, or one that hangs, may be due to the
// option: QEMU's FUSE export also tries again after any error.
function isRefusal(error: unknown): boolean {
  return error instanceof SystemError && error.errno !== ERRNO.ENOENT &&
    error.errno !== ERRNO.ETIMEDOUT;
}

function helperOptions(options: UserMountOptions): string[] {
  const { source, readOnly, maxRead } = options;
  return [
    `fsname=${escapeOption(source)}`,
    "subtype=mqfuse",
    readOnly ? "ro" : "rw",
    "nosuid",
    "nodev",
    "noatime",
    "default_permissions",
    `max_read=${maxRead}`,
  ];
}

/**
 * Takes one certain mount down as `unmountExactly` does, by fusermount3 if
 * this process may not do it itself. Where fusectl is mounted, the connection
 * is ended first, as by MNT_FORCE; elsewhere a server that sleeps in read(2)
 * sleeps on until the last client has closed its file.
 *
 * @param mount The mount.
 * @throws {SystemError} As `unmountExactly` and {@linkcode fusermountUnmount}.
 */
export function unmountForUser(
  mount: Pick<Mount, "id" | "minor">,
): UnmountResult {
  try {
    return unmountExactly(mount);
  } catch (error) {
    if (!(error instanceof SystemError) || error.errno !== ERRNO.EPERM) {
      throw error;
    }
  }
  // It was the topmost at its place a moment ago.
  const now = find(mount);
  if (now === undefined) return "gone";
  abortExactly(now);
  try {
    fusermountUnmount(now.mountPoint);
  } catch (error) {
    if (find(mount) === undefined) return "gone";
    throw error;
  }
  return "unmounted";
}

function find(mount: Pick<Mount, "id" | "minor">): Mount | undefined {
  return readMounts().find((other) =>
    other.id === mount.id && other.minor === mount.minor
  );
}

function handleOf(mount: Mount, watcher: MountWatcher | null): FuseMount {
  return mountHandle(mount, () =>
    lockedIfPossible(mount.mountPoint, () => {
      const result = unmountForUser(mount);
      // Gone before another can be mounted here: it must not take that.
      if (result !== "covered") watcher?.release();
      return result;
    }));
}

function lockedIfPossible<T>(path: string, use: () => T): T {
  let used = false;
  try {
    return withMountLock(path, () => {
      used = true;
      return use();
    });
  } catch (error) {
    // Somebody keeps the directory locked, or it is gone.
    if (used || !(error instanceof SystemError)) throw error;
    return use();
  }
}
