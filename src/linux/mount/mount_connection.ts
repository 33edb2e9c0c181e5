/**
 * A new, mounted connection, by whichever way this process may take.
 *
 * @module
 */

import { credentials, hasCapSysAdmin } from "../syscall/process.ts";
import {
  adviceOnDevice,
  fuseDeviceFromFd,
  openFuseDevice,
} from "../fuse/fuse_device.ts";
import type { FuseMount } from "./fuse_mount.ts";
import {
  mountByFusermount,
  type UserMountOptions,
} from "./mount_by_fusermount.ts";
import { mountBySyscall } from "./mount_by_syscall.ts";
import type { FuseDevice } from "../../queue/fuse_device.ts";
import { connectionState } from "./connection.ts";
import {
  closeDescriptor,
  OPEN,
  openDescriptor,
} from "../syscall/descriptor.ts";

const DEVICE = "/dev/fuse";

/** By mount(2), or by fusermount3, the helper of ordinary users. */
export type MountMethod = "mount" | "fusermount3";

/** A mounted connection whose INIT waits in its descriptor. */
export interface MountedConnection {
  /** Its first descriptor. */
  readonly device: FuseDevice;
  /** Its mount. */
  readonly mount: FuseMount;
  /** How it was mounted. */
  readonly mountMethod: MountMethod;
  /** Whether users other than the owner may come in. */
  readonly allowOther: boolean;
  /**
   * Whether unmounting wakes whoever sleeps in read(2) on a descriptor of it,
   * though a client keeps a file open. If not (without root, where fusectl is
   * not mounted), servers may only sleep for a limited time.
   */
  readonly wakesReaders: boolean;
}

/**
 * Mounts a new connection: by mount(2) with CAP_SYS_ADMIN, by fusermount3
 * without; `autoUnmount` counts only then. The kernel sends INIT at once; until
 * it is answered, whoever looks at the mount waits. So must not do the thread
 * that answers.
 *
 * @param options What, where and how.
 * @throws {SystemError} With what to do about it, if /dev/fuse is missing or
 * refused; as `mountBySyscall` and `mountByFusermount`.
 */
export function mountConnection(options: UserMountOptions): MountedConnection {
  checkDevice();
  return hasCapSysAdmin() ? attachAsRoot(options) : attachAsUser(options);
}

function attachAsRoot(options: UserMountOptions): MountedConnection {
  const { uid, gid } = credentials();
  const device = openFuseDevice();
  // Nothing can keep it from root: `auto` is `on`.
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

function attachAsUser(options: UserMountOptions): MountedConnection {
  const { fd, mount, allowOther } = mountByFusermount(options);
  return {
    device: fuseDeviceFromFd(fd),
    mount,
    mountMethod: "fusermount3",
    allowOther,
    wakesReaders: connectionState(mount.connection) !== "unknown",
  };
}

// fusermount3 opens it with the user's permissions as well, but tells less.
function checkDevice(): void {
  closeDescriptor(
    openDescriptor(DEVICE, OPEN.RDWR, { advice: adviceOnDevice }),
  );
}
