/**
 * Mounting a new connection: by mount(2) if this process may, by fusermount3 if
 * not.
 *
 * @module
 */

import type { FuseDevice } from "../../queue/fuse_device.ts";
import { fuseDeviceFromFd, openFuseDevice } from "../fuse/fuse_device.ts";
import { credentials, hasCapSysAdmin } from "../syscall/process.ts";
import { connectionState } from "./connection.ts";
import type { FuseMount } from "./fuse_mount.ts";
import {
  mountByFusermount,
  type UserMountOptions,
} from "./mount_by_fusermount.ts";
import { mountBySyscall } from "./mount_by_syscall.ts";

/**
 * How a connection was mounted: by mount(2) or by fusermount3.
 *
 * @category Sessions
 */
export type MountMethod = "mount" | "fusermount3";

/** A mounted connection whose INIT has not been read yet. */
export interface MountedConnection {
  /** Its first descriptor. */
  readonly device: FuseDevice;
  /** Its mount. */
  readonly mount: FuseMount;
  /** How it was mounted. */
  readonly mountMethod: MountMethod;
  /** Whether users other than the owner may access the mount. */
  readonly allowOther: boolean;
  /**
   * Whether unmounting wakes up readers that sleep in read(2) on /dev/fuse, even
   * if a client keeps a file open. If not (fusermount3 without fusectl), readers
   * must sleep for a limited time only.
   */
  readonly wakesReaders: boolean;
}

/**
 * Mounts a new connection: by mount(2) with CAP_SYS_ADMIN, else by fusermount3.
 * The kernel sends INIT immediately. Accesses to the mount wait until INIT is
 * answered, so the answering thread must not make any.
 *
 * @param options What to mount where; `autoUnmount` applies to fusermount3 only.
 * @throws {SystemError} If /dev/fuse is missing or may not be opened; as
 * {@linkcode mountBySyscall} and {@linkcode mountByFusermount}.
 */
export function mountConnection(options: UserMountOptions): MountedConnection {
  return hasCapSysAdmin() ? mountAsRoot(options) : mountAsUser(options);
}

function mountAsRoot(options: UserMountOptions): MountedConnection {
  const { uid, gid } = credentials();
  const device = openFuseDevice();
  // `auto` is the same as `on`, because root is always permitted.
  const allowOther = options.allowOther !== "off";
  try {
    const { fd } = device;
    const mount = mountBySyscall({ ...options, fd, uid, gid, allowOther });
    return {
      device,
      mount,
      mountMethod: "mount",
      allowOther,
      wakesReaders: true,
    };
  } catch (error) {
    device.close();
    throw error;
  }
}

function mountAsUser(options: UserMountOptions): MountedConnection {
  // fusermount3 opens /dev/fuse itself, but its error would be less precise.
  openFuseDevice().close();
  const { fd, mount, allowOther } = mountByFusermount(options);
  return {
    device: fuseDeviceFromFd(fd),
    mount,
    mountMethod: "fusermount3",
    allowOther,
    wakesReaders: connectionState(mount.connection) !== "unknown",
  };
}
