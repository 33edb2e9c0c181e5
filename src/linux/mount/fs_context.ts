/**
 * File systems without a mount point: fsopen(2), fsconfig(2), fsmount(2).
 *
 * @module
 */

import { ERRNO } from "../../base/errno.ts";
import { CALLS } from "../syscall/architecture.ts";
import { closeDescriptor } from "../syscall/descriptor.ts";
import { cString, pointerOf } from "../syscall/ffi_values.ts";
import { errno, libc } from "../syscall/libc.ts";
import { SystemError } from "../syscall/system_error.ts";

// Of <linux/mount.h>.
const FSOPEN_CLOEXEC = 1;
const FSMOUNT_CLOEXEC = 1;
const FSCONFIG_SET_STRING = 1;
const FSCONFIG_CMD_CREATE = 6;

/**
 * Binds a descriptor of /dev/fuse to a new file system that is not mounted, which
 * makes the kernel send INIT. No other process can see it, and it ends with this
 * process at the latest. Linux 5.2.
 *
 * @param fd A descriptor of /dev/fuse that is not mounted yet.
 * @returns Ends the connection.
 * @throws {SystemError} EPERM without CAP_SYS_ADMIN, ENODEV without the
 * kernel's fuse module, ENOSYS on an older kernel.
 */
export function connectUnmounted(fd: number): Disposable {
  const context = createFileSystem("fuse", {
    fd: String(fd),
    rootmode: "40000",
    "user_id": String(libc().getuid()),
    "group_id": String(libc().getgid()),
  });
  return { [Symbol.dispose]: () => closeDescriptor(context) };
}

/**
 * Mounts a file system that is reachable only by the returned descriptor. Linux
 * 5.2.
 *
 * @param type The file system's type, such as `fusectl`.
 * @returns An O_PATH descriptor of its root; the caller closes it.
 * @throws {SystemError} As {@linkcode connectUnmounted}.
 */
export function mountDetached(type: string): number {
  const context = createFileSystem(type, {});
  try {
    const { fsmount } = libc();
    return checked(
      "fsmount",
      type,
      fsmount(BigInt(CALLS.fsmount), context, FSMOUNT_CLOEXEC, 0),
    );
  } finally {
    closeDescriptor(context);
  }
}

function createFileSystem(
  type: string,
  settings: Readonly<Record<string, string>>,
): number {
  const { fsopen } = libc();
  const context = checked(
    "fsopen",
    type,
    fsopen(BigInt(CALLS.fsopen), cString(type), FSOPEN_CLOEXEC),
  );
  try {
    for (const [key, value] of Object.entries(settings)) {
      configure(context, type, FSCONFIG_SET_STRING, key, value);
    }
    configure(context, type, FSCONFIG_CMD_CREATE);
    return context;
  } catch (error) {
    closeDescriptor(context);
    throw error;
  }
}

function configure(
  context: number,
  type: string,
  command: number,
  ...strings: string[]
): void {
  const [key, value] = strings.map(cString);
  const result = libc().fsconfig(
    BigInt(CALLS.fsconfig),
    context,
    command,
    key === undefined ? null : pointerOf(key),
    value === undefined ? null : pointerOf(value),
    0,
  );
  checked("fsconfig", type, result);
  // Keeps the memory alive until the call has returned.
  key?.fill(0);
  value?.fill(0);
}

function checked(call: string, type: string, result: number): number {
  if (result >= 0) return result;
  const error = errno();
  throw new SystemError({
    call,
    action: `create a file system of type ${type}`,
    errno: error,
    advice: error === ERRNO.EPERM
      ? "run as root, or with CAP_SYS_ADMIN"
      : undefined,
  });
}
