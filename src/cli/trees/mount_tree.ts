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
  { passthrough, directWrites, ...options }: MirrorMountOptions,
): Promise<Session> {
  const refused = passthrough === "on"
    ? "passthrough"
    : directWrites === "kernel"
    ? "direct-writes"
    : null;
  if (refused !== null) {
    throw new UserError(
      `Cannot mount ${name} with ${refused}: only mirror: shows files that the kernel can read and write by itself; leave --${refused} out`,
    );
  }
  const mounted = await mountFileSystem(fs, mountpoint, { name, ...options });
  return mounted.session;
}
