/**
 * Loop devices on a mount, and what uses them: found in /sys/block, /proc/swaps
 * and the mounts, without opening a device.
 *
 * @module
 */

import { listDirectory } from "../syscall/directory.ts";
import { resultOrNull } from "../syscall/system_error.ts";
import { readText } from "../syscall/text_file.ts";
import { loopDevicesOver } from "./loop_devices.ts";
import type { MountUser } from "./mount_users.ts";
import type { Mount } from "./mountinfo.ts";

const BLOCK = "/sys/block";

/**
 * Finds loop devices whose file is a mount point, or below it.
 *
 * @param mountPoint The absolute path of the mount point.
 * @param mounts The mounts in which file systems on the devices are searched.
 */
export function loopUsers(
  mountPoint: string,
  mounts: readonly Mount[],
): MountUser[] {
  return loopDevicesOver(mountPoint).map((device): MountUser => ({
    kind: "loop",
    device,
    usedAs: usesOf(device.slice("/dev/".length), mounts),
  }));
}

/** What uses a block device and its partitions, directly or by a holder. */
function usesOf(name: string, mounts: readonly Mount[]): string[] {
  const uses = new Set<string>();
  const directories = [
    `${BLOCK}/${name}`,
    ...list(`${BLOCK}/${name}`).filter((entry) => entry.startsWith(name))
      .map((entry) => `${BLOCK}/${name}/${entry}`),
  ];
  for (const directory of directories) {
    const device = `/dev/${directory.slice(directory.lastIndexOf("/") + 1)}`;
    for (const use of mountsOf(directory, device, mounts)) uses.add(use);
    if (isSwap(device)) uses.add(`swap on ${device}`);
    for (const holder of list(`${directory}/holders`)) {
      uses.add(`held by ${text(`${BLOCK}/${holder}/dm/name`) ?? holder}`);
      for (const use of usesOf(holder, mounts)) uses.add(use);
    }
  }
  return [...uses];
}

function mountsOf(
  directory: string,
  device: string,
  mounts: readonly Mount[],
): string[] {
  const number = text(`${directory}/dev`);
  return mounts.filter(({ major, minor, source }) =>
    // Btrfs has device numbers of its own.
    number === `${major}:${minor}` || source === device
  ).map(({ type, mountPoint }) => `${type} mounted on ${mountPoint}`);
}

function isSwap(device: string): boolean {
  const lines = text("/proc/swaps")?.split("\n") ?? [];
  return lines.some((line) => line.split(/\s/)[0] === device);
}

function list(path: string): string[] {
  return resultOrNull(() => listDirectory(path)) ?? [];
}

function text(path: string): string | null {
  return resultOrNull(() => readText(path).replace(/\n$/, ""));
}
