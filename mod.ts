/**
 * mqfuse: FUSE for Deno, with no native code. Show a disk image as one plain
 * file, or serve a file system of your own, through several cloned /dev/fuse
 * descriptors with a Worker each.
 *
 * What needs `--allow-ffi`: {@linkcode mountExport} and
 * {@linkcode mountHandler}. Everything else is plain TypeScript.
 *
 * @example Serve a handler against the simulated kernel
 * ```ts
 * import { serve } from "@mqfuse/mqfuse";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(typeof serve, "function");
 * ```
 *
 * @module
 */
export type {
  Answer,
  Backend,
  Extent,
  ImageStat,
  ImageTimes,
  ZeroOptions,
} from "./src/backends/backend.ts";
export { ImageBackend } from "./src/backends/image_backend.ts";
export * from "./src/export/block_export.ts";
export * from "./src/export/export_context.ts";
export * from "./src/export/export_state.ts";
export * from "./src/shared_memory/rw_lock.ts";
export { UserError } from "./src/base/user_error.ts";
export type { AllowOther } from "./src/linux/mount/mount_by_fusermount.ts";
export * from "./src/protocol/mod.ts";
export * from "./src/queue/device_queue.ts";
export * from "./src/queue/fuse_device.ts";
export * from "./src/queue/forwarding_queue.ts";
export * from "./src/queue/handshake.ts";
export * from "./src/queue/memory_channel.ts";
export * from "./src/queue/memory_queue.ts";
export * from "./src/queue/notifier.ts";
export * from "./src/queue/poll_strategy.ts";
export * from "./src/queue/queue_statistics.ts";
export * from "./src/queue/request_queue.ts";
export * from "./src/queue/serve.ts";
export * from "./src/queue/trace_queue.ts";
export type { ExportSource } from "./src/session/image.ts";
export type {
  ModuleFactory,
  ModuleSpec,
} from "./src/session/import_factory.ts";
export * from "./src/session/mount_export.ts";
export * from "./src/session/mount_handler.ts";
export * from "./src/session/session.ts";
export type {
  PassthroughChoice,
  PassthroughState,
} from "./src/session/passthrough.ts";
export * from "./src/session/export_session.ts";
export * from "./src/session/session_notifier.ts";
export type { SessionOptions } from "./src/session/session_options.ts";
export type { MountMethod } from "./src/linux/mount/mount_connection.ts";
export type {
  TransportChoice,
  TransportState,
} from "./src/session/transport.ts";
