/**
 * File systems of your own: objects with methods, on nodes that are objects.
 * The entry point is `fs.ts`, which adds what mounts them.
 *
 * @module
 */
export type { Caller } from "./caller.ts";
export type { Dirent, Entries, FileSystem, May } from "./file_system.ts";
export type { Lock, LockKind } from "./lock.ts";
export type { Attr, Changes, StatFs, Time, Timespec } from "./attr.ts";
export { decodeName, encodeName } from "../base/name_bytes.ts";
export { systemTime } from "../base/timespec.ts";
export { type ContextServices, isReadOnly } from "./context.ts";
export { NodeAttr } from "./node_attr.ts";
export type { CacheOptions, FileCache } from "./options.ts";
export type { BackingFiles } from "./backing_files.ts";
export {
  FileSystemHandler,
  type FileSystemServices,
} from "./file_system_handler.ts";
export { FILE_SYSTEM_FLAGS, initFlags } from "./init_flags.ts";
