/**
 * Looking up mounts, and unmounting them.
 *
 * @module
 */
import { findMount, readMounts } from "../../src/linux/mount/mountinfo.ts";
import { unmountExactly } from "../../src/linux/mount/fuse_mount.ts";

/** Whether anything is mounted at a path. */
export function isMounted(path: string): boolean {
  return findMount(path) !== null;
}

/** Unmounts the FUSE mounts at a path, or below a path that ends in "/". */
export function clearMounts(path: string): void {
  for (const mount of readMounts().toReversed()) {
    const { mountPoint } = mount;
    const meant = path.endsWith("/")
      ? mountPoint.startsWith(path)
      : mountPoint === path;
    if (meant && mount.type.startsWith("fuse")) unmountExactly(mount);
  }
}
