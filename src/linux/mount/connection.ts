/**
 * FUSE connections seen from outside, by the fusectl file system: a directory
 * for each, named by its number. Reading it never waits for a server.
 *
 * @module
 */

import { ERRNO } from "../../base/errno.ts";
import { cString } from "../syscall/c_string.ts";
import {
  closeDescriptor,
  OPEN,
  openDescriptor,
} from "../syscall/descriptor.ts";
import { readText, writeExisting } from "../io/files.ts";
import { errno, libc } from "../syscall/libc.ts";
import { SystemError } from "../syscall/system_error.ts";

const CONTROL = "/sys/fs/fuse/connections";
const CONTROL_TYPE = "fusectl";

// fuse_abort_conn() sets this, and no INIT reply can: its field has 16 bits.
const MAX_BACKGROUND_OF_THE_DEAD = "4294967295";

// The same numbers on every architecture: <asm-generic/unistd.h>.
const SYS_FSOPEN = 430n;
const SYS_FSCONFIG = 431n;
const SYS_FSMOUNT = 432n;

// Of <linux/mount.h>; FSOPEN_CLOEXEC and FSMOUNT_CLOEXEC are both 1.
const MOUNT_FD_CLOEXEC = 1;
const FSCONFIG_CMD_CREATE = 6;

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
    : mountControlPrivately();
}

// A mount that only this descriptor knows of: not every system (containers,
// minimal ones) has mounted fusectl, and mounting it for all is not our business.
function mountControlPrivately(): number {
  const library = libc();
  const context = checked(
    "fsopen",
    library.fsopen(SYS_FSOPEN, cString(CONTROL_TYPE), MOUNT_FD_CLOEXEC),
  );
  try {
    checked(
      "fsconfig",
      library.fsconfig(
        SYS_FSCONFIG,
        context,
        FSCONFIG_CMD_CREATE,
        null,
        null,
        0,
      ),
    );
    return checked(
      "fsmount",
      library.fsmount(SYS_FSMOUNT, context, MOUNT_FD_CLOEXEC, 0),
    );
  } finally {
    closeDescriptor(context);
  }
}

function checked(call: string, result: number): number {
  if (result >= 0) return result;
  throw new SystemError({
    call,
    action: `mount ${CONTROL_TYPE}`,
    errno: errno(),
  });
}
