/**
 * Querying and aborting FUSE connections by the fusectl file system, which has a
 * directory for each connection. Reading it does not involve any server.
 *
 * @module
 */

import { ERRNO } from "../../base/errno.ts";
import {
  closeDescriptor,
  OPEN,
  openDescriptor,
} from "../syscall/descriptor.ts";
import { pointerOf } from "../syscall/ffi_values.ts";
import { libc } from "../syscall/libc.ts";
import { resultOrNull, SystemError } from "../syscall/system_error.ts";
import { readText, writeExisting } from "../syscall/text_file.ts";
import { mountDetached } from "./fs_context.ts";

const CONTROL = "/sys/fs/fuse/connections";
const CONTROL_TYPE = "fusectl";

// fuse_abort_conn() sets this. A reply to INIT cannot, as its field has 16 bits.
const MAX_BACKGROUND_WHEN_ABORTED = "4294967295";

/**
 * The state of a connection. It is `dead` once it was aborted or its last
 * descriptor was closed, as when its server dies; it is listed until its file
 * system is unmounted.
 *
 * @param connection The connection's number: the minor number of the mount's
 * `st_dev`.
 * @returns `unknown` if there is no such connection, or this process may not
 * query it.
 */
export function connectionState(
  connection: number,
): "live" | "dead" | "unknown" {
  return withControl((directory) => {
    const limit = readText(`${connection}/max_background`, directory).trim();
    return limit === MAX_BACKGROUND_WHEN_ABORTED ? "dead" : "live";
  }) ?? "unknown";
}

/**
 * Aborts a connection: callers that wait for the server fail with ECONNABORTED,
 * reads of the server fail with ENODEV, and the dead mount remains.
 *
 * @param connection The connection's number.
 * @returns False if there is no such connection, or this process may not abort
 * it.
 */
export function abortConnection(connection: number): boolean {
  return withControl((directory) => {
    writeExisting(`${connection}/abort`, "1", directory);
    return true;
  }) ?? false;
}

/**
 * Opens the control directory of a connection, which stays the one of this
 * connection: once that is gone, calls fail, even if its number is in use again.
 *
 * @param connection The connection's number.
 * @returns A descriptor, which the caller closes; `null` if there is no such
 * connection, or this process may not use it.
 */
export function openConnection(connection: number): number | null {
  return withControl((directory) =>
    openDescriptor(`${connection}`, OPEN.PATH, { directory })
  );
}

/**
 * Whether a connection still exists: its mount, or programs that use it after
 * the mount is gone.
 *
 * @param control A descriptor of {@linkcode openConnection}.
 */
export function connectionExists(control: number): boolean {
  //= fs/fuse/control.c fuse_ctl_remove_conn(): the files of a connection are
  //= removed with it, so nothing is found in the directory any more.
  const file = resultOrNull(() =>
    openDescriptor("waiting", OPEN.PATH, { directory: control })
  );
  if (file === null) return false;
  closeDescriptor(file);
  return true;
}

/**
 * How many requests of a connection have no reply yet, whether the server has
 * read them or not.
 *
 * @param control A descriptor of {@linkcode openConnection}.
 * @returns `null` if the connection is gone.
 */
export function requestsWaiting(control: number): number | null {
  //= fs/fuse/control.c fuse_conn_waiting_read(): fc->num_waiting.
  return whereAvailable(() => Number(readText("waiting", control)));
}

/**
 * As {@linkcode abortConnection}, by a descriptor of
 * {@linkcode openConnection}.
 */
export function abortOpened(control: number): boolean {
  return whereAvailable(() => {
    writeExisting("abort", "1", control);
    return true;
  }) ?? false;
}

/**
 * Opens the file by which a connection is aborted, for a time when this process
 * may not open it any more.
 *
 * @param control A descriptor of {@linkcode openConnection}.
 * @returns A descriptor, which the caller closes; `null` as `openConnection`.
 */
export function openAbort(control: number): number | null {
  return whereAvailable(() =>
    openDescriptor("abort", OPEN.WRONLY, { directory: control })
  );
}

/**
 * As {@linkcode abortConnection}, by a descriptor of {@linkcode openAbort}.
 *
 * @returns False if that failed; true also if the connection is gone.
 */
export function writeAbort(file: number): boolean {
  const text = new TextEncoder().encode("1");
  return libc().write(file, pointerOf(text), BigInt(text.byteLength)) > 0;
}

// Calls `use` with a descriptor of the fusectl directory. Returns null if a call
// fails because something is missing or not permitted.
function withControl<T>(use: (directory: number) => T): T | null {
  return whereAvailable(() => {
    const directory = openControl();
    try {
      return use(directory);
    } finally {
      closeDescriptor(directory);
    }
  });
}

function whereAvailable<T>(call: () => T): T | null {
  try {
    return call();
  } catch (error) {
    if (error instanceof SystemError && isUnavailable(error.errno)) return null;
    throw error;
  }
}

function isUnavailable(errno: number): boolean {
  return errno === ERRNO.ENOENT || errno === ERRNO.EACCES ||
    errno === ERRNO.EPERM || errno === ERRNO.ENOSYS || errno === ERRNO.ENODEV;
}

function openControl(): number {
  const mounts = readText("/proc/self/mountinfo");
  // If fusectl is not mounted, its mount point is an empty directory.
  return mounts.includes(` ${CONTROL} `)
    ? openDescriptor(CONTROL, OPEN.PATH)
    // Containers and minimal systems do not mount fusectl.
    : mountDetached(CONTROL_TYPE);
}
