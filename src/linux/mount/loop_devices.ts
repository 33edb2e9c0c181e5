/**
 * Loop devices over the files of a mount.
 *
 * @module
 */
import { errnoName } from "../../base/errno.ts";
import { AT_FDCWD, OPEN, openDescriptor } from "../syscall/descriptor.ts";
import { cString } from "../syscall/ffi_values.ts";
import { errno, libc } from "../syscall/libc.ts";
import { resultOrNull, SystemError } from "../syscall/system_error.ts";
import { readText } from "../syscall/text_file.ts";

const LOOP_SET_CAPACITY = 0x4c07n;

/**
 * The loop devices whose backing file is at a path or below it.
 *
 * @param path An absolute path.
 * @returns Paths such as `/dev/loop0`.
 */
export function loopDevicesOver(path: string): string[] {
  // Unlike /proc/partitions, this lists devices without any sector too.
  const names = readText("/proc/diskstats").split("\n")
    .map((line) => line.trim().split(/\s+/)[2] ?? "")
    .filter((name) => /^loop\d+$/.test(name));
  return names.filter((name) => {
    const file = backingFile(name);
    return file === path || file?.startsWith(`${path}/`);
  }).map((name) => `/dev/${name}`);
}

/**
 * The path of a loop device's backing file, in which the kernel escapes nothing
 * but a line break; `null` if it has none.
 */
function backingFile(name: string): string | null {
  const text = resultOrNull(() =>
    readText(`/sys/block/${name}/loop/backing_file`)
  );
  return text?.replace(/\n$/, "") ?? null;
}

/**
 * Gives a loop device the current size of its backing file, as `losetup -c`
 * does. The kernel asks the server of the file for its attributes, and another
 * program may hold the device meanwhile: the calls are made in threads of Deno's
 * pool.
 *
 * @throws {SystemError} If that is not allowed.
 */
export async function updateLoopSize(path: string): Promise<void> {
  const fd = await openLater(path);
  try {
    const none = new Uint8Array(new ArrayBuffer(1));
    const { ioctl, ioctl_nonblocking } = libc();
    if (await ioctl_nonblocking(fd, LOOP_SET_CAPACITY, none) === 0) return;
    // The other thread loses the errno. The same call here fails at once.
    if (ioctl(fd, LOOP_SET_CAPACITY, none) === 0) return;
    const number = errno();
    throw new SystemError({
      call: "ioctl",
      action: `set the size of ${path}`,
      errno: number,
      reason: errnoName(number),
    });
  } finally {
    await libc().close_nonblocking(fd);
  }
}

async function openLater(path: string): Promise<number> {
  const flags = OPEN.RDONLY | OPEN.CLOEXEC;
  const name = cString(path);
  const fd = await libc().openat_nonblocking(AT_FDCWD, name, flags, 0);
  // The other thread loses the errno. The same call here fails at once.
  return fd >= 0 ? fd : openDescriptor(path, flags);
}
