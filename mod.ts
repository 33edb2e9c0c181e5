/**
 * mqfuse: FUSE for Deno, without native code. Shows a disk image as one plain
 * file, or mounts a file system of your own, through several cloned /dev/fuse
 * descriptors with a Worker each. Mounting needs `--allow-ffi` and nothing else.
 *
 * - **Export a disk image:** {@linkcode mountExport} takes an image, or a disk
 *   of your own ({@linkcode ImageBackend}), and returns an
 *   {@linkcode ExportSession}, which can be resized and made read-only.
 * - **Mount a file system:** {@linkcode mountHandler} takes a
 *   {@linkcode RequestHandler} and returns a {@linkcode Session}.
 * - **While it runs:** `session.notifier` ({@linkcode SessionNotifier}) makes
 *   the kernel drop what it has cached; `session.stats()` counts requests;
 *   `session.closed` resolves when it ends. `mountExport` and `mountHandler`
 *   share their {@linkcode SessionOptions}, such as `signal`, `queues` and
 *   `trace`.
 * - **Errors:** an error that the user can correct is a {@linkcode UserError},
 *   whose message is one sentence.
 *
 * Further entry points: `./protocol` has the messages that a handler reads and
 * writes, `./backends` the disks and a base class for your own, `./sim` a
 * simulated kernel for tests, `./queue` and `./export` the parts of a session.
 *
 * @example Export a disk image until Ctrl-C
 * ```ts ignore
 * import { mountExport } from "@mqfuse/mqfuse";
 *
 * const stop = new AbortController();
 * Deno.addSignalListener("SIGINT", () => stop.abort());
 * const session = await mountExport({
 *   source: "disk.img",
 *   mountpoint: "mnt.img", // an existing file
 *   writable: true,
 *   signal: stop.signal,
 * });
 * console.log(`${session.size} bytes, ${session.queues} queues`);
 * const { clean, problems } = await session.closed;
 * ```
 *
 * @example Export a disk of your own, made by a module in each Worker
 * ```ts ignore
 * import { mountExport } from "@mqfuse/mqfuse";
 *
 * await using session = await mountExport({
 *   source: {
 *     // Its default export is a function that makes an ImageBackend.
 *     module: import.meta.resolve("./my_disk.ts"),
 *     options: { size: 1 << 30 },
 *   },
 *   mountpoint: "mnt.img",
 * });
 * ```
 *
 * @example Write a file system, and try it on a simulated kernel
 * ```ts
 * import type { RequestHandler } from "@mqfuse/mqfuse";
 * import { ERRNO, OPCODES, S_IF } from "@mqfuse/mqfuse/protocol";
 * import { serveInThread, SimClient, SimKernel } from "@mqfuse/mqfuse/sim";
 * import { assertEquals } from "@std/assert";
 *
 * const text = new TextEncoder().encode("hello\n");
 * const hello: RequestHandler = {
 *   handle(request, reply) {
 *     switch (request.opcode) {
 *       case OPCODES.GETATTR.opcode:
 *         return reply.struct("fuse_attr_out", {
 *           attr: { mode: S_IF.REG | 0o444, nlink: 1, size: 6n },
 *         });
 *       case OPCODES.READ.opcode:
 *         reply.data.set(text);
 *         return reply.ok(text.length);
 *       default:
 *         return reply.error(ERRNO.ENOSYS);
 *     }
 *   },
 * };
 *
 * const kernel = new SimKernel({ queues: 1 });
 * await serveInThread(kernel, {
 *   wanted: {
 *     flags: [],
 *     maxWrite: 4096,
 *     maxBackground: 12,
 *     congestionThreshold: 9,
 *   },
 *   handler: () => hello,
 * });
 * const file = await new SimClient(kernel).open(0);
 * const buffer = new Uint8Array(6);
 * assertEquals(await file.pread(buffer, 0), 6);
 * assertEquals(buffer, text);
 * await file.close();
 * kernel.unmount();
 * ```
 *
 * @example Mount that file system
 * ```ts ignore
 * import { mountHandler } from "@mqfuse/mqfuse";
 * import { hello } from "./hello.ts";
 *
 * await using session = await mountHandler({
 *   handler: hello,
 *   mountpoint: "hello.txt", // an existing file
 *   root: "file",
 * });
 * await session.closed;
 * ```
 *
 * @module
 */

// Exports.
export {
  mountExport,
  type MountExportOptions,
} from "./src/session/mount_export.ts";
export type { HttpExportOptions } from "./src/session/http_options.ts";
export type { ImageExportOptions } from "./src/session/image_options.ts";
export { restartLoopSafe } from "./src/session/loop_safe.ts";
export { ExportSession } from "./src/session/export_session.ts";
export type { ImageSource } from "./src/backends/open_image.ts";
export type { CacheChoice, CacheState } from "./src/session/cache.ts";
export type { CacheMode } from "./src/export/export_context.ts";
export type {
  PassthroughChoice,
  PassthroughState,
} from "./src/session/passthrough.ts";
export type { SpliceChoice, SpliceState } from "./src/session/splicing.ts";

// File systems.
export { mountHandler } from "./src/session/mount_handler.ts";
export type {
  MountHandlerOptions,
  Permissions,
  RootKind,
} from "./src/session/handler_options.ts";
export type {
  HandlerContext,
  HandlerFactory,
} from "./src/session/open_handler.ts";
export type { RequestHandler } from "./src/queue/request_handler.ts";
export type { Request } from "./src/protocol/request.ts";
export type { Reply } from "./src/protocol/reply.ts";

// Both.
export { Session, type SessionReport } from "./src/session/session.ts";
export type { MountUser, MountUsers } from "./src/linux/mount/mount_users.ts";
export type { SessionOptions } from "./src/session/session_options.ts";
export {
  type InvalidateEntryOptions,
  SessionNotifier,
} from "./src/session/session_notifier.ts";
export type { ModuleFactory, ModuleSpec } from "./src/base/import_factory.ts";
export type {
  BatchingChoice,
  TransportChoice,
  TransportState,
} from "./src/session/transport.ts";
export type { AllowOther } from "./src/linux/mount/mount_by_fusermount.ts";
export type { MountMethod } from "./src/linux/mount/mount_connection.ts";
export type { PollUs } from "./src/event/poll_strategy.ts";
export type { OpcodeTotals } from "./src/queue/opcode_counts.ts";
export type { QueueTotals } from "./src/queue/queue_statistics.ts";
export type { QueueEnd, QueueEndReason } from "./src/queue/request_queue.ts";
export type {
  NegotiatedCapabilities,
  OfferedCapabilities,
  WantedCapabilities,
} from "./src/protocol/init.ts";
export { formatTrace } from "./src/protocol/trace.ts";
export type { TraceRecord } from "./src/protocol/trace_record.ts";
export { fileTime } from "./src/linux/syscall/file_clock.ts";
export { UserError } from "./src/base/user_error.ts";

// Disks of your own.
export { ImageBackend } from "./src/backends/image_backend.ts";
export type {
  Answer,
  Backend,
  Extent,
  ImageStat,
  ImageTimes,
  ZeroOptions,
} from "./src/backends/backend.ts";
export type {
  ImageSnapshot,
  ImageSnapshots,
  LiveSnapshotAction,
} from "./src/backends/image_snapshots.ts";
