/**
 * Whether the server of a mount is alive.
 *
 * @module
 */

import { ERRNO } from "../../base/errno.ts";
import { startChild } from "../syscall/child_process.ts";
import {
  AT_FDCWD,
  closeDescriptor,
  OPEN,
  openDescriptor,
} from "../syscall/descriptor.ts";
import { AT, statx } from "../syscall/statx.ts";
import { SystemError } from "../syscall/system_error.ts";
import { connectionState } from "./connection.ts";
import { type Mount, OWN_TYPE } from "./mountinfo.ts";

const SHELL = "/bin/sh";
const OPEN_LIMIT_MS = 1000;
/** Milliseconds for the kernel to close what a dead process had open. */
const CLOSE_LIMIT_MS = 3000;

/**
 * The state of a FUSE mount: `live` (its server may hang nevertheless), `dead`
 * (every request fails with ENOTCONN), or `unknown` if this process may not
 * query it.
 */
export type MountState = "live" | "dead" | "unknown";

/**
 * Queries the state of a FUSE mount. It waits for the server for a second at
 * most.
 *
 * @param mount The topmost mount at its mount point.
 */
export function mountState(mount: Mount): MountState {
  const state = connectionState(mount.minor);
  if (state === "live") return state;
  if (state === "unknown") {
    // Without fusectl, only opening the file shows the state. That may wait
    // forever if the server hangs, so another process does it.
    const { type, mountPoint } = mount;
    if (type !== OWN_TYPE || !endsInTime(mountPoint)) return state;
  }
  // An administrator may have written the value of max_background that marks a
  // dead connection. statx(2) fails immediately if it is dead indeed.
  const flags = AT.SYMLINK_NOFOLLOW | AT.STATX_FORCE_SYNC;
  const status = statx(AT_FDCWD, mount.mountPoint, flags);
  if (typeof status !== "number") return "live";
  // Without allow_other, users other than the owner get EACCES in either state.
  return status === -ERRNO.EACCES ? state : "dead";
}

/**
 * Whether a mount is stale: of this program's type, with a dead server.
 *
 * @param mount The topmost mount at its mount point.
 */
export function isOwnStale(mount: Mount): boolean {
  return mount.type === OWN_TYPE && mountState(mount) === "dead";
}

/**
 * Waits until the server of a live mount of this program answers a request, or
 * the kernel ends its connection: it may have been killed a moment ago. The
 * kernel closes what is open in an io_uring 10 to 100 ms after the end of its
 * process, later on a busy machine, and the mount seems to be live until then. It
 * waits for three seconds at most, because a server may hang.
 *
 * @param mount The topmost mount at its mount point.
 */
export function awaitServer(mount: Mount): void {
  if (mount.type !== OWN_TYPE || mountState(mount) !== "live") return;
  endsInTime(mount.mountPoint, CLOSE_LIMIT_MS);
}

/**
 * Whether opening a path ends in time, successfully or not. A child process does
 * that, because it may hang.
 *
 * @param path An absolute path.
 * @param limitMs The longest wait in milliseconds; a second if left out.
 * @returns False also if no process can be started.
 */
function endsInTime(path: string, limitMs: number = OPEN_LIMIT_MS): boolean {
  const nothing = openDescriptor("/dev/null", OPEN.RDWR);
  try {
    const child = startChild({
      path: SHELL,
      args: [SHELL, "-c", ': <"$1"', "mqfuse-probe", path],
      environment: ["LC_ALL=C", "PATH=/usr/bin:/bin"],
      descriptors: [nothing, nothing, nothing],
    });
    const hasEnded = child.wait(limitMs) !== null;
    child.kill();
    return hasEnded;
  } catch (error) {
    if (error instanceof SystemError) return false;
    throw error;
  } finally {
    closeDescriptor(nothing);
  }
}
