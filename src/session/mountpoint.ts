/**
 * What has to be right about a mountpoint before anything is mounted there.
 *
 * @module
 */
import {
  findMount,
  isOwnStale,
  type Mount,
  mountState,
  OWN_TYPE,
} from "../linux/mounts.ts";
import { absolutePath } from "../linux/paths.ts";
import { unmountExactly } from "../linux/unmount.ts";

/**
 * Clears a stale mount of this program from a mountpoint, and refuses any
 * other FUSE mount that lies there.
 *
 * @param mountpoint A path as the user wrote it.
 * @param notice Hears of a mount that was cleared.
 * @returns The absolute path.
 * @throws {Error} With one sentence that says what lies there.
 */
export function prepareMountpoint(
  mountpoint: string,
  notice: (text: string) => void,
): string {
  const path = absolutePath(mountpoint);
  for (;;) {
    const there = findMount(path);
    if (there === null || !there.type.startsWith("fuse")) return path;
    if (!isOwnStale(there)) throw new Error(refusal(mountpoint, there));
    unmountExactly(there);
    notice(
      `Cleared the stale mount of ${there.source} on ${mountpoint}, whose server had died`,
    );
  }
}

function refusal(mountpoint: string, there: Mount): string {
  const what = `Cannot mount on ${mountpoint}:`;
  if (mountState(there) === "dead") {
    return `${what} a dead mount of another program (${there.source}, type ${there.type}) lies there, Transport endpoint is not connected; remove it with 'umount ${there.mountPoint}'`;
  }
  return there.type === OWN_TYPE
    ? `${what} ${there.source} is already exported there; end that export first or choose another mountpoint`
    : `${what} another program's mount (${there.source}, type ${there.type}) lies there; choose another mountpoint`;
}
