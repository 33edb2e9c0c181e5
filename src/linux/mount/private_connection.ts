/**
 * A FUSE connection that is mounted nowhere: enough for INIT.
 *
 * @module
 */

import { ERRNO } from "../../base/errno.ts";
import { pointerOf } from "../syscall/call_arguments.ts";
import { cString } from "../syscall/c_string.ts";
import { closeDescriptor } from "../syscall/descriptor.ts";
import { errno, libc } from "../syscall/libc.ts";
import { SystemError } from "../syscall/system_error.ts";

// The same numbers on every architecture: <asm-generic/unistd.h>.
const SYS_FSOPEN = 430n;
const SYS_FSCONFIG = 431n;

// Of <linux/mount.h>.
const FSOPEN_CLOEXEC = 1;
const FSCONFIG_SET_STRING = 1;
const FSCONFIG_CMD_CREATE = 6;

/**
 * Binds a descriptor of /dev/fuse to a new file system that has no mount: the
 * kernel sends INIT, nobody else can see it, and it is gone with this process
 * at the latest. Linux 5.2.
 *
 * @param fd A descriptor of /dev/fuse that is not mounted yet.
 * @returns Ends the connection.
 * @throws {SystemError} EPERM without CAP_SYS_ADMIN, ENODEV without the
 * kernel's fuse module, ENOSYS on an older kernel.
 */
export function connectPrivately(fd: number): Disposable {
  const context = checked(
    libc().fsopen(SYS_FSOPEN, cString("fuse"), FSOPEN_CLOEXEC),
    "fsopen",
  );
  try {
    const settings = {
      fd,
      rootmode: "40000",
      "user_id": libc().getuid(),
      "group_id": libc().getgid(),
    };
    for (const [key, value] of Object.entries(settings)) {
      configure(context, FSCONFIG_SET_STRING, key, String(value));
    }
    configure(context, FSCONFIG_CMD_CREATE);
  } catch (error) {
    closeDescriptor(context);
    throw error;
  }
  return { [Symbol.dispose]: () => closeDescriptor(context) };
}

function configure(
  context: number,
  command: number,
  key?: string,
  value?: string,
): void {
  const texts = [key, value].map((text) =>
    text === undefined ? null : cString(text)
  );
  const [keyAt = null, valueAt = null] = texts.map((text) =>
    text === null ? null : pointerOf(text)
  );
  const result = libc().fsconfig(
    SYS_FSCONFIG,
    context,
    command,
    keyAt,
    valueAt,
    0,
  );
  checked(result, "fsconfig");
  // Keeps the memory alive until the call has returned.
  for (const text of texts) text?.fill(0);
}

function checked(result: number, call: string): number {
  if (result >= 0) return result;
  const error = errno();
  throw new SystemError({
    call,
    action: "start a FUSE connection",
    errno: error,
    advice: error === ERRNO.EPERM
      ? "run as root, or with CAP_SYS_ADMIN"
      : undefined,
  });
}
