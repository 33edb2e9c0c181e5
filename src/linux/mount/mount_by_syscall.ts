/**
 * Mounting a FUSE connection by mount(2).
 *
 * The mount point is opened once, then checked and mounted on by that
 * descriptor, so that it cannot be replaced in between.
 *
 * @module
 */

import { ERRNO } from "../../base/errno.ts";
import { S_IF } from "../../base/file_flags.ts";
import { UnmountedError } from "../../base/unmounted_error.ts";
import { ADVICE_ON_CONTAINERS } from "../fuse/fuse_device.ts";
import { closeDescriptor, pathOfDescriptor } from "../syscall/descriptor.ts";
import { cString } from "../syscall/ffi_values.ts";
import { errno, libc } from "../syscall/libc.ts";
import type { DirectoryEntry } from "../syscall/directory_entry.ts";
import {
  type FuseMount,
  mountHandle,
  unmountExactly,
  unmountUnused,
} from "./fuse_mount.ts";
import { DEFAULT_FLAGS, type MountFlags } from "./mount_flags.ts";
import { withMountLock } from "./mount_lock.ts";
import {
  checkMountPoint,
  mountPointError,
  newMountOn,
  openMountPoint,
  ownMountsByPath,
  refuseHiding,
} from "./mount_point.ts";
import { OWN_TYPE } from "./mountinfo.ts";

// A flag of mount(2).
const MS_RDONLY = 1;

/** The options of {@linkcode mountBySyscall}. */
export interface MountOptions {
  /** A descriptor of /dev/fuse that is not mounted yet. */
  readonly fd: number;
  /** An existing file or directory, as `rootMode` says. */
  readonly mountpoint: string;
  /** The mount point, if its path has been looked up already. */
  readonly entry?: DirectoryEntry;
  /** The source in /proc/mounts, such as the path of the image. */
  readonly source: string;
  /** Type bits of the root: `S_IF.REG` for a file, `S_IF.DIR` for a directory. */
  readonly rootMode: number;
  /** MS_RDONLY: the kernel refuses every change with EROFS. */
  readonly readOnly: boolean;
  /** Whether users other than `uid` may access the mount. */
  readonly allowOther: boolean;
  /** The owner of the mount. */
  readonly uid: number;
  /** The group of the owner. */
  readonly gid: number;
  /** The largest READ in bytes. */
  readonly maxRead: number;
  /** Further flags; nosuid, nodev and noatime if left out. */
  readonly flags?: MountFlags;
  /** Whether the kernel checks permissions by mode and owner; yes if left out. */
  readonly checksPermissions?: boolean;
}

/**
 * Mounts a connection. The kernel sends INIT immediately. Accesses to the mount
 * wait until INIT is answered, so the answering thread must not make any.
 *
 * @param options What to mount where.
 * @throws {SystemError} EISDIR, ENOTDIR, ELOOP or EINVAL if the mount point is
 * of the wrong kind; EEXIST if an export of this program is mounted there, live
 * or dead; ENOENT, EACCES; EPERM without CAP_SYS_ADMIN; other errnos of mount(2).
 * @throws {UnmountedError} If another program has unmounted it at once.
 */
export function mountBySyscall(options: MountOptions): FuseMount {
  const mountPoint = openMountPoint(options);
  try {
    return withMountLock(() => {
      checkMountPoint(mountPoint, options);
      const before = ownMountsByPath();
      callMount(mountPoint.fd, options);
      const mount = newMountOn(mountPoint, before, options.fd);
      if (mount === null) throw new UnmountedError(options.mountpoint);
      refuseHiding(mount, options, () => unmountExactly(mount));
      return mountHandle(
        mount,
        () => unmountExactly(mount),
        () => unmountUnused(mount),
      );
    });
  } finally {
    // An open descriptor would make unmounting by others fail with EBUSY.
    closeDescriptor(mountPoint.fd);
  }
}

function callMount(mountPoint: number, options: MountOptions): void {
  const { flags = DEFAULT_FLAGS, readOnly } = options;
  const result = libc().mount(
    cString(options.source),
    cString(pathOfDescriptor(mountPoint)),
    cString(OWN_TYPE),
    BigInt(flags.bits | (readOnly ? MS_RDONLY : 0)),
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
  ];
  if (options.checksPermissions !== false) data.push("default_permissions");
  if (options.allowOther) data.push("allow_other");
  return [...data, ...options.flags?.contexts ?? []].join(",");
}

function adviceOnMount(error: number): string | undefined {
  if (error === ERRNO.EPERM) return ADVICE_ON_CONTAINERS;
  return error === ERRNO.ENODEV
    ? "load the kernel's module with 'modprobe fuse'"
    : undefined;
}
