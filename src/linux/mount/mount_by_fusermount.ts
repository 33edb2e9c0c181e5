/**
 * Mounting and unmounting by fusermount3, for users without CAP_SYS_ADMIN.
 *
 * @module
 */

import { ERRNO } from "../../base/errno.ts";
import { UnmountedError } from "../../base/unmounted_error.ts";
import { closeDescriptor, pathOfDescriptor } from "../syscall/descriptor.ts";
import { readLink } from "../syscall/paths.ts";
import { resultOrNull, SystemError } from "../syscall/system_error.ts";
import { abortConnection } from "./connection.ts";
import {
  connectionOf,
  type FuseMount,
  mountHandle,
  unmountExactly,
  type UnmountResult,
  unmountUnused,
  type UnusedResult,
} from "./fuse_mount.ts";
import {
  escapeOption,
  findFusermount,
  fusermount,
  fusermountUnmount,
  fusermountUnmountUnused,
} from "./fusermount.ts";
import type { MountOptions } from "./mount_by_syscall.ts";
import { DEFAULT_FLAGS, fusermountFlags } from "./mount_flags.ts";
import { withMountLock } from "./mount_lock.ts";
import {
  checkMountPoint,
  type MountPoint,
  mountPointError,
  newMountOn,
  openMountPoint,
  ownMountsByPath,
  refuseHiding,
} from "./mount_point.ts";
import { type MountWatcher, watchMount } from "./mount_watcher.ts";
import { type Mount, readMounts } from "./mountinfo.ts";

/**
 * Whether users other than the mount's owner may access it. `auto`: if the system
 * permits that.
 *
 * @category Sessions
 */
export type AllowOther = "off" | "on" | "auto";

/** The options of {@linkcode mountByFusermount}. */
export interface UserMountOptions
  extends Omit<MountOptions, "fd" | "uid" | "gid" | "allowOther"> {
  /** Whether other users may access the mount; see `user_allow_other`. */
  readonly allowOther: AllowOther;
  /** Whether to unmount it when this process dies, true by default. */
  readonly autoUnmount?: boolean;
}

/** A connection mounted by {@linkcode mountByFusermount}. */
export interface UserMount {
  /** A descriptor of the connection, blocking and close-on-exec. */
  readonly fd: number;
  /** The mount. */
  readonly mount: FuseMount;
  /** Whether other users may access the mount. */
  readonly allowOther: boolean;
  /** Whether it will be unmounted when this process dies. */
  readonly autoUnmount: boolean;
}

/**
 * Mounts a new connection by fusermount3. The kernel sends INIT immediately.
 * Accesses to the mount wait until INIT is answered.
 *
 * The mount point is checked through a descriptor, but fusermount3 takes a
 * path, which could be replaced in between. A path through a descriptor of the
 * directory would not help: fusermount3 resolves it to a path of names, changes
 * to the root directory, and opens that (fuse_mnt_resolve_path() of libfuse). It
 * opens a file for writing with this user's permissions. If the mount turns out
 * to be elsewhere, it is unmounted again.
 *
 * @param options What to mount where.
 * @throws {SystemError} As `mountBySyscall` about the mount point, ESTALE if it
 * was replaced meanwhile, and as {@linkcode fusermount}.
 * @throws {UnmountedError} If another program has unmounted it at once.
 */
export function mountByFusermount(options: UserMountOptions): UserMount {
  const mountPoint = openMountPoint(options);
  try {
    return withMountLock(() => {
      checkMountPoint(mountPoint, options);
      return mountAt(mountPoint, options);
    });
  } finally {
    // An open descriptor would make unmounting by others fail with EBUSY.
    closeDescriptor(mountPoint.fd);
  }
}

function mountAt(mountPoint: MountPoint, options: UserMountOptions): UserMount {
  const before = ownMountsByPath();
  const { fd, allowOther } = callFusermount(mountPoint.path, options);
  try {
    const mount = findNewMount(mountPoint, before, fd, options);
    const watcher = options.autoUnmount === false ? null : watch(mount);
    return {
      fd,
      mount: handleOf(mount, watcher),
      allowOther,
      autoUnmount: watcher !== null,
    };
  } catch (error) {
    // Closing its only descriptor ends the connection, wherever it is mounted.
    closeDescriptor(fd);
    throw error;
  }
}

function findNewMount(
  mountPoint: MountPoint,
  before: ReadonlySet<string>,
  fd: number,
  options: UserMountOptions,
): Mount {
  const mount = newMountOn(mountPoint, before, fd);
  const path = readLink(pathOfDescriptor(mountPoint.fd));
  if (mount?.mountPoint === path) {
    refuseHiding(mount, options, () => unmountForUser(mount));
    return mount;
  }
  if (mount !== null) unmountForUser(mount);
  // If the kernel tells the connection's number, its mount is found by that
  // wherever it is now: it has been unmounted.
  else if (connectionOf(fd) !== null) {
    throw new UnmountedError(options.mountpoint);
  }
  throw mountPointError(options, {
    errno: ERRNO.ESTALE,
    reason: "the mount point was moved or replaced meanwhile",
    advice: "choose a mount point in a directory that only you may write to",
  });
}

function watch(mount: Mount): MountWatcher | null {
  // Without a shell, a stale mount is cleared at the next start.
  return resultOrNull(() =>
    watchMount({ mount, fusermount: findFusermount() })
  );
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
      if (allowOther === "on" || !mayBeRefusal(error)) throw error;
    }
  }
  return { fd: fusermount(path, plain), allowOther: false };
}

// Any error may be due to allow_other, unless fusermount3 is missing or hangs:
// QEMU's FUSE export also retries without it after any error.
function mayBeRefusal(error: unknown): boolean {
  return error instanceof SystemError && error.errno !== ERRNO.ENOENT &&
    error.errno !== ERRNO.ETIMEDOUT;
}

function helperOptions(options: UserMountOptions): string[] {
  const { source, readOnly, maxRead, flags = DEFAULT_FLAGS } = options;
  return [
    `fsname=${escapeOption(source)}`,
    "subtype=mqfuse",
    readOnly ? "ro" : "rw",
    ...fusermountFlags(flags),
    ...options.checksPermissions === false ? [] : ["default_permissions"],
    `max_read=${maxRead}`,
  ];
}

/**
 * Unmounts one mount as {@linkcode unmountExactly} does, by fusermount3 if this
 * process lacks CAP_SYS_ADMIN. The connection is aborted first if fusectl is
 * mounted. Otherwise a server that sleeps in read(2) is not woken up until the
 * last client has closed its file.
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
  // unmountExactly() has found that no other mount is on top of it.
  const now = find(mount);
  if (now === undefined) return "gone";
  abortConnection(now.minor);
  try {
    fusermountUnmount(now.mountPoint);
  } catch (error) {
    if (find(mount) === undefined) return "gone";
    throw error;
  }
  return "unmounted";
}

/** Unmounts one mount unless it is in use. */
async function unmountUnusedForUser(
  mount: Pick<Mount, "id" | "minor">,
): Promise<UnusedResult> {
  try {
    return unmountUnused(mount);
  } catch (error) {
    if (!(error instanceof SystemError) || error.errno !== ERRNO.EPERM) {
      throw error;
    }
  }
  // unmountUnused() has found that no other mount is on top of it.
  const now = find(mount);
  if (now === undefined) return "gone";
  try {
    await fusermountUnmountUnused(now.mountPoint);
    return "unmounted";
  } catch (error) {
    if (error instanceof SystemError && error.errno === ERRNO.EBUSY) {
      return "busy";
    }
    if (find(mount) === undefined) return "gone";
    throw error;
  }
}

function find(mount: Pick<Mount, "id" | "minor">): Mount | undefined {
  return readMounts().find((other) =>
    other.id === mount.id && other.minor === mount.minor
  );
}

function handleOf(mount: Mount, watcher: MountWatcher | null): FuseMount {
  // The watcher must end before another mount is made here: it would unmount
  // that one.
  const released = <T extends UnusedResult>(result: T) => {
    if (result !== "covered" && result !== "busy") watcher?.release();
    return result;
  };
  return mountHandle(
    mount,
    () => withMountLock(() => released(unmountForUser(mount))),
    async () => released(await unmountUnusedForUser(mount)),
  );
}
