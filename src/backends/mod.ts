/**
 * Sources of the bytes of a disk image: the {@linkcode Backend} interface, base
 * classes for a disk or a filter of your own, and the backends of this package.
 *
 * @example A disk in memory
 * ```ts
 * import { createMemoryDisk, MemoryBackend } from "@mqfuse/mqfuse/backends";
 * import { assertEquals } from "@std/assert";
 *
 * const disk = new MemoryBackend(createMemoryDisk(1 << 20));
 * disk.write(4096, new TextEncoder().encode("hello"), 0, 5);
 * const data = new Uint8Array(5);
 * assertEquals(disk.read(4096, data, 0, 5), 5);
 * assertEquals(new TextDecoder().decode(data), "hello");
 * ```
 *
 * @module
 */
export type { NewTime } from "../base/timespec.ts";
export type { MessagePipe } from "../event/message_pipe.ts";
export * from "./backend.ts";
export * from "./block_file.ts";
export { FilterBackend } from "./filter_backend.ts";
export { type ImageWindow, WindowBackend } from "./filters/window.ts";
export { WritethroughBackend } from "./filters/writethrough.ts";
export { ImageBackend } from "./image_backend.ts";
export type {
  ImageSnapshot,
  ImageSnapshots,
  LiveSnapshotAction,
} from "./image_snapshots.ts";
export { FileBackend } from "./protocols/file/file_backend.ts";
export {
  createMemoryDisk,
  MemoryBackend,
  type MemoryDisk,
  type MemoryDiskOptions,
} from "./protocols/memory.ts";
export { NullBackend } from "./protocols/null.ts";
export { PatternBackend } from "./protocols/pattern.ts";
export type { SyncCounter } from "./protocols/file/file_sync.ts";
export { formatSize, parseSize, SIZE_MAX } from "./size.ts";
export { SyncErrors } from "./sync_errors.ts";
