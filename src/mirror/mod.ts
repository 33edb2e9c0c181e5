/**
 * A directory of this machine as a file system, by descriptors. It needs Linux.
 *
 * @module
 */
import { Mirror } from "./mirror.ts";
import { type MirrorOptions, openRoot } from "./tree.ts";

export { Mirror } from "./mirror.ts";
export { type DirectWrites, type MirrorOptions, MirrorTree } from "./tree.ts";
export type { MirrorNode } from "./nodes.ts";

/**
 * A directory of this machine as a file system. Every file in use is held by a
 * descriptor, and found by its name in the descriptor of its directory: no path
 * is walked again, so that renamed directories and symbolic links lead nowhere
 * else.
 *
 * What a program creates belongs to that program's user, where this process has
 * CAP_SETUID and CAP_SETGID, else to this process's user. The calls of the host
 * are made at once, in the thread that serves; only fsync(2) runs in a thread of
 * Deno's pool. Dispose of it once the session has ended.
 *
 * @example Mount a directory elsewhere
 * ```ts ignore
 * import { mirror, mountFileSystem } from "@mqfuse/mqfuse/fs";
 *
 * using home = mirror("/home/me");
 * const session = await mountFileSystem(home, "mnt", { signals: true });
 * await session.closed;
 * ```
 *
 * @param path The directory.
 * @throws {UserError} If it cannot be opened.
 * @category File systems
 */
export function mirror(path: string, options: MirrorOptions = {}): Mirror {
  return new Mirror(openRoot(path), options);
}
