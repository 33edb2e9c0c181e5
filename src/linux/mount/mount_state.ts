/**
 * Whether the server of a mount is still there.
 *
 * @module
 */

import { type Mount, OWN_TYPE } from "./mountinfo.ts";
import { AT, statx } from "../syscall/statx.ts";
import { ERRNO } from "../../base/errno.ts";
import { AT_FDCWD } from "../syscall/descriptor.ts";
import { connectionState } from "./connection.ts";
import { startChild } from "../syscall/child_process.ts";
import {
  closeDescriptor,
  OPEN,
  openDescriptor,
} from "../syscall/descriptor.ts";
import { SystemError } from "../syscall/system_error.ts";

const SHELL = "/bin/sh";
const PATIENCE_MS = 1000;

/**
 * Whether the server behind a FUSE mount is there: `live` (it may hang all
 * the same), `dead` (every request gives ENOTCONN), or `unknown` where the
 * kernel does not let this process look.
 */
export type MountState = "live" | "dead" | "unknown";

/**
 * Whether a FUSE mount's server is there, without waiting for it, or for a
 * second at most.
 *
 * @param mount The topmost mount at its mount point.
 */
export function mountState(mount: Mount): MountState {
  const state = connectionState(mount.minor);
  if (state === "live") return state;
  if (state === "unknown") {
    // Without fusectl, users have to ask for real; others may wait for ever.
    const { type, mountPoint } = mount;
    if (type !== OWN_TYPE || !endsInTime(mountPoint)) return state;
  }
  // Someone may have set by hand what tells a dead connection. Asking for real
  // cannot wait on a dead one, and succeeds only on a live one.
  const flags = AT.SYMLINK_NOFOLLOW | AT.STATX_FORCE_SYNC;
  const status = statx(AT_FDCWD, mount.mountPoint, flags);
  if (typeof status !== "number") return "live";
  // One that others may not enter says so, dead or alive.
  return status === -ERRNO.EACCES ? state : "dead";
}

/**
 * Whether a mount was left behind by this program: of its type, server gone.
 *
 * @param mount The topmost mount at its mount point.
 */
export function isOwnStale(mount: Mount): boolean {
  return mount.type === OWN_TYPE && mountState(mount) === "dead";
}

/**
 * Whether opening a path comes to an end soon, well or badly; then so will a
 * look at it by this thread.
 *
 * @param path An absolute path.
 * @returns False also where no process can be started.
 */
function endsInTime(path: string): boolean {
  const nothing = openDescriptor("/dev/null", OPEN.RDWR);
  try {
    const child = startChild({
      path: SHELL,
      args: [SHELL, "-c", ': <"$1"', "mqfuse-probe", path],
      environment: ["LC_ALL=C", "PATH=/usr/bin:/bin"],
      descriptors: [nothing, nothing, nothing],
    });
    const isOver = child.wait(PATIENCE_MS) !== null;
    child.kill();
    return isOver;
  } catch (error) {
    if (error instanceof SystemError) return false;
    throw error;
  } finally {
    closeDescriptor(nothing);
  }
}
