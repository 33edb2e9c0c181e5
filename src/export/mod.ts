/**
 * The handler that shows a disk image as one plain file: what `mountExport()`
 * runs in each Worker. Use it to serve an image through a queue of your own.
 *
 * {@linkcode BlockExport} answers the requests by calling a `Backend`,
 * according to its {@linkcode ExportRules}. {@linkcode ExportState} is what all
 * Workers share: size, mode, owner, times and a lock.
 * {@linkcode exportCapabilities} are the capabilities to request in INIT.
 *
 * @example Serve a disk in memory to a simulated kernel
 * ```ts
 * import { createMemoryDisk, MemoryBackend } from "@mqfuse/mqfuse/backends";
 * import {
 *   BlockExport,
 *   exportCapabilities,
 *   ExportState,
 * } from "@mqfuse/mqfuse/export";
 * import { serveInThread, SimClient, SimKernel } from "@mqfuse/mqfuse/sim";
 * import { assertEquals } from "@std/assert";
 *
 * const size = 1 << 20;
 * const disk = createMemoryDisk(size);
 * const rules = { writable: true, growable: false, allowOther: false };
 * const state = ExportState.create({ size, mode: 0o600, uid: 0, gid: 0 });
 * const kernel = new SimKernel({ queues: 2 });
 * await serveInThread(kernel, {
 *   wanted: exportCapabilities(rules),
 *   handler: () =>
 *     new BlockExport({ backend: new MemoryBackend(disk), state, rules }),
 * });
 * assertEquals((await new SimClient(kernel).stat()).size, size);
 * kernel.unmount();
 * ```
 *
 * @module
 */
export {
  BlockExport,
  EXPORT_ROOT_MODE,
  exportCapabilities,
  MAX_PAYLOAD,
} from "./block_export.ts";
export {
  type CacheMode,
  type ExportContext,
  type ExportRules,
  type Splicing,
  TRUNCATE_RULES,
  type TruncateRule,
} from "./export_context.ts";
export {
  ExportState,
  type ExportStateOptions,
  type ExportStateThread,
} from "./export_state.ts";
export { OpenHandles } from "./open_handles.ts";
export { SyncErrors } from "../backends/sync_errors.ts";
export { SharedRwLock } from "../shared_memory/rw_lock.ts";
