import { UserError } from "../../base/user_error.ts";
import type { FileSystem } from "../../filesystem/file_system.ts";
import { mountFileSystem } from "../../session/mount_file_system.ts";
import type { MirrorMountOptions } from "../../session/mount_mirror.ts";
import type { Session } from "../../session/session.ts";

/**
 * Mounts a file system that this thread serves.
 *
 * @param name Its name in /proc/mounts.
 * @throws {UserError} If it cannot be mounted, or is to have passthrough.
 */
export async function mountTree<N extends object, H>(
  fs: FileSystem<N, H>,
  name: string,
  mountpoint: string,
  { passthrough, ...options }: MirrorMountOptions,
): Promise<Session> {
  if (passthrough === "on") {
    throw new UserError(
      `Cannot mount ${name} with passthrough: only mirror: shows files that the kernel can read by itself; leave --passthrough out`,
    );
  }
  const mounted = await mountFileSystem(fs, mountpoint, { name, ...options });
  return mounted.session;
}
