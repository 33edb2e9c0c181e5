/**
 * File systems of your own. A file system is an object with methods such as
 * `lookup()`, `readdir()` and `read()`, and its files are objects of your own:
 * {@linkcode FileSystem} has all methods. What the kernel and the wire make
 * necessary is done for you: node ids, lookup counts, handles, positions in
 * directories, sizes of extended attributes, interrupted requests.
 *
 * - **Mount it:** {@linkcode mountFileSystem} returns a
 *   {@linkcode FileSystemSession}, by which the kernel is told of changes.
 * - **Test it without a mount:** `simulate()` of `./sim` gives a client of a
 *   simulated kernel, which needs no permission.
 *
 * `S_IF`, `O`, `Errno` and other constants are in `./protocol`.
 *
 * @example Mount a directory with one file
 * ```ts ignore
 * import { type Attr, mountFileSystem } from "@mqfuse/mqfuse/fs";
 * import { S_IF } from "@mqfuse/mqfuse/protocol";
 *
 * const text = new TextEncoder().encode("hello\n");
 * const file: Attr = { mode: S_IF.REG | 0o444, size: text.length };
 * const session = await mountFileSystem<Attr, void>({
 *   root: { mode: S_IF.DIR | 0o755 },
 *   getattr: (node) => node,
 *   lookup: (_directory, name) => name === "hello" ? file : null,
 *   readdir: () => [["hello", file]],
 *   read: (_node, into, offset) => text.subarray(offset, offset + into.length),
 * }, "mnt", { signals: true });
 * await session.closed;
 * ```
 *
 * @module
 */
export * from "./src/filesystem/mod.ts";
export {
  type FileSystemOptions,
  mountFileSystem,
} from "./src/session/mount_file_system.ts";
export type { Permissions } from "./src/session/handler_options.ts";
export { FileSystemSession } from "./src/session/file_system_session.ts";
export { fileTime } from "./src/linux/syscall/file_clock.ts";
export * from "./src/trees/mod.ts";
export {
  type DirectWrites,
  Mirror,
  mirror,
  type MirrorNode,
  type MirrorOptions,
  MirrorTree,
} from "./src/mirror/mod.ts";
export {
  type MirrorMountOptions,
  mountMirror,
} from "./src/session/mount_mirror.ts";
export type { MirrorCache } from "./src/session/mirror_handler.ts";
export type { AutoUnmount } from "./src/session/auto_unmount.ts";
