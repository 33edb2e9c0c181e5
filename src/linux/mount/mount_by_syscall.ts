/**
 * Mounting a FUSE connection by mount(2).
 *
 * The mount point is opened once, looked at, and mounted on, all by the same
 * descriptor: what was checked is what gets covered.
 *
 * @module
 */

import { ADVICE_ON_CONTAINERS } from "../fuse/fuse_device.ts";
import { type FuseMount, mountHandle, unmountExactly } from "./fuse_mount.ts";
import {
  checkMountPoint,
  mountIdsAt,
  mountPointError,
  newMountAt,
  openMountPoint,
} from "./mount_point.ts";
import { OWN_TYPE } from "./mountinfo.ts";
import { cString } from "../syscall/ffi_values.ts";
import { ERRNO } from "../../base/errno.ts";
import { S_IF } from "../../base/file_flags.ts";
import { closeDescriptor, pathOfDescriptor } from "../syscall/descriptor.ts";
import { errno, libc } from "../syscall/libc.ts";
import { withMountLock } from "./mount_lock.ts";
import type { SystemError } from "../syscall/system_error.ts";

// Flags of mount(2).
const MS_RDONLY = 1;
const MS_NOSUID = 2;
const MS_NODEV = 4;
const MS_NOATIME = 1024;

/** What to mount, where and how. */
export interface MountOptions {
  /** A descriptor of /dev/fuse that is not mounted yet. */
  readonly fd: number;
  /** An existing file, or directory, of the kind that `rootMode` says. */
  readonly mountpoint: string;
  /** What the mount's device is called in /proc/mounts: the image's path. */
  readonly source: string;
  /** Type bits of the root: `S_IF.REG` for a file, `S_IF.DIR` for a directory. */
  readonly rootMode: number;
  /** MS_RDONLY: the kernel refuses every change with EROFS. */
  readonly readOnly: boolean;
  /** Users other than `uid` may get at it. */
  readonly allowOther: boolean;
  /** The user whom the mount belongs to. */
  readonly uid: number;
  /** The group of that user. */
  readonly gid: number;
  /** The longest READ. Bytes. */
  readonly maxRead: number;
}

/**
 * Mounts a connection. The kernel sends INIT at once; until it is answered,
 * whoever looks at the mount waits. So must not do the thread that answers.
 *
 * @param options What, where and how.
 * @throws {SystemError} EISDIR, ENOTDIR, ELOOP or EINVAL if the mount point is
 * of the wrong kind; EEXIST if an export of this program lies there, live or
 * dead; ENOENT, EACCES; EPERM without CAP_SYS_ADMIN; mount(2)'s other errors.
 */
export function mountBySyscall(options: MountOptions): FuseMount {
  const place = openMountPoint(options.mountpoint);
  try {
    // Between the look and the mount nobody else of this program may mount.
    return withMountLock(place.path, () => {
      checkMountPoint(place, options);
      const before = mountIdsAt(place.path);
      callMount(place.fd, options);
      const mount = newMountAt(place.path, before, options.fd);
      if (mount === null) throw lostError(options);
      return mountHandle(mount, () => unmountExactly(mount));
    });
  } finally {
    // Kept open, it would make everyone else's unmount fail with EBUSY.
    closeDescriptor(place.fd);
  }
}

function callMount(place: number, options: MountOptions): void {
  const flags = MS_NOSUID | MS_NODEV | MS_NOATIME |
    (options.readOnly ? MS_RDONLY : 0);
  const result = libc().mount(
    cString(options.source),
    cString(pathOfDescriptor(place)),
    cString(OWN_TYPE),
    BigInt(flags),
    cString(mountData(options)),
  );
  if (result === 0) return;
  const error = errno();
  throw mountPointError(options, {
    errno: error,
    advice: adviceOnMount(error),
  });
}

// The options of fuse_fs_parameters[] in the kernel's fs/fuse/inode.c.
function mountData(options: MountOptions): string {
  const data = [
    `fd=${options.fd}`,
    `rootmode=${(options.rootMode & S_IF.MT).toString(8)}`,
    `user_id=${options.uid}`,
    `group_id=${options.gid}`,
    `max_read=${options.maxRead}`,
    "default_permissions",
  ];
  if (options.allowOther) data.push("allow_other");
  return data.join(",");
}

function lostError(options: MountOptions): SystemError {
  return mountPointError(options, {
    errno: ERRNO.ENOENT,
    reason: "the new mount is not in /proc/self/mountinfo",
    advice: "see whether something unmounts it at once",
  });
}

function adviceOnMount(error: number): string | undefined {
  if (error === ERRNO.EPERM) return ADVICE_ON_CONTAINERS;
  return error === ERRNO.ENODEV
    ? "load the kernel's module with 'modprobe fuse'"
    : undefined;
}
