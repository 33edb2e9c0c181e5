/**
 * FUSE connections seen from outside, by the fusectl file system: a directory
 * for each, named by its number. Reading it never waits for a server.
 *
 * @module
 */

import { mountDetached } from "./fs_context.ts";
import { readText, writeExisting } from "../syscall/text_file.ts";
import { ERRNO } from "../../base/errno.ts";
import {
  closeDescriptor,
  OPEN,
  openDescriptor,
} from "../syscall/descriptor.ts";
import { SystemError } from "../syscall/system_error.ts";

const CONTROL = "/sys/fs/fuse/connections";
const CONTROL_TYPE = "fusectl";

// fuse_abort_conn() sets this, and no INIT reply can: its field has 16 bits.
const MAX_BACKGROUND_OF_THE_DEAD = "4294967295";

/**
 * Whether a connection's server is there. Its last descriptor's closing (the
 * death of its process, too) and an abort make it `dead`; its directory stays
 * until the file system is unmounted.
 *
 * @param connection The connection's number: minor of the mount's `st_dev`.
 * @returns `unknown` if there is no such connection, or this process may not
 * look at it.
 */
export function connectionState(
  connection: number,
): "live" | "dead" | "unknown" {
  return withControl((directory) => {
    const limit = readText(`${connection}/max_background`, directory).trim();
    return limit === MAX_BACKGROUND_OF_THE_DEAD ? "dead" : "live";
  }) ?? "unknown";
}

/**
 * Ends a connection: whoever waits for its server gets ECONNABORTED, the
 * server's reads give ENODEV, and the mount stays as a dead one.
 *
 * @param connection The connection's number.
 * @returns False if there is no such connection, or this process may not end it.
 */
export function abortConnection(connection: number): boolean {
  return withControl((directory) => {
    writeExisting(`${connection}/abort`, "1", directory);
    return true;
  }) ?? false;
}

// Runs `use` with a descriptor of the fusectl directory; null if a call fails
// because something is missing or forbidden.
function withControl<T>(use: (directory: number) => T): T | null {
  let directory: number | null = null;
  try {
    directory = openControl();
    return use(directory);
  } catch (error) {
    if (error instanceof SystemError && saysNo(error.errno)) return null;
    throw error;
  } finally {
    if (directory !== null) closeDescriptor(directory);
  }
}

function saysNo(errno: number): boolean {
  return errno === ERRNO.ENOENT || errno === ERRNO.EACCES ||
    errno === ERRNO.EPERM || errno === ERRNO.ENOSYS || errno === ERRNO.ENODEV;
}

function openControl(): number {
  const mounts = readText("/proc/self/mountinfo");
  // An unmounted fusectl leaves an empty directory at the same place.
  return mounts.includes(` ${CONTROL} `)
    ? openDescriptor(CONTROL, OPEN.PATH)
    // Not every system has mounted fusectl: containers, minimal ones.
    : mountDetached(CONTROL_TYPE);
}
