/**
 * Loop devices over the files of a mount.
 *
 * @module
 */
import { errnoName } from "../../base/errno.ts";
import {
  closeDescriptor,
  OPEN,
  openDescriptor,
} from "../syscall/descriptor.ts";
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
 * does. The kernel asks for the file's attributes, so the calling thread must
 * not be the one that serves them.
 *
 * @throws {SystemError} If that is not allowed.
 */
export function updateLoopSize(path: string): void {
  const fd = openDescriptor(path, OPEN.RDONLY);
  try {
    const none = new Uint8Array(new ArrayBuffer(1));
    if (libc().ioctl(fd, LOOP_SET_CAPACITY, none) === 0) return;
    const number = errno();
    throw new SystemError({
      call: "ioctl",
      action: `set the size of ${path}`,
      errno: number,
      reason: errnoName(number),
    });
  } finally {
    closeDescriptor(fd);
  }
}
