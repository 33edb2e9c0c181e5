import type { FileSystem } from "../../filesystem/file_system.ts";
import { mountFileSystem } from "../../session/mount_file_system.ts";
import type { MirrorMountOptions } from "../../session/mount_mirror.ts";
import type { Session } from "../../session/session.ts";

/**
 * Mounts a file system that this thread serves.
 *
 * @param name Its name in /proc/mounts.
 * @param options Of these, `passthrough` means nothing here.
 */
export async function mountTree<N extends object, H>(
  fs: FileSystem<N, H>,
  name: string,
  mountpoint: string,
  { passthrough: _, ...options }: MirrorMountOptions,
): Promise<Session> {
  const mounted = await mountFileSystem(fs, mountpoint, { name, ...options });
  return mounted.session;
}
