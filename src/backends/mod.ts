/**
 * Where the bytes of a disk image come from: the {@linkcode Backend}
 * interface and the backends that need nothing but it.
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
export * from "./backend.ts";
export * from "./block_file.ts";
export * from "./filter_backend.ts";
export * from "./image_backend.ts";
export * from "./protocols/file/file_backend.ts";
export * from "./protocols/memory.ts";
export * from "./protocols/null.ts";
export * from "./protocols/pattern.ts";
export * from "./size.ts";
export * from "./source.ts";
