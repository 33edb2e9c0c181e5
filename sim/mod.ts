/**
 * A kernel made of TypeScript, to test a FUSE server without root, a kernel or
 * luck: it sends what Linux's FUSE driver sends for a mount of one plain file
 * ({@linkcode SimClient}) or of a tree ({@linkcode TreeClient}), spreads it over
 * several queues, checks every reply as the driver does, and compares what is
 * read with a model of the disk.
 *
 * @example Serve a disk in memory on two queues, and use it
 * ```ts
 * import {
 *   CheckedFile,
 *   DiskModel,
 *   serveInThread,
 *   SimClient,
 *   SimKernel,
 * } from "@mqfuse/mqfuse/sim";
 * import { BlockExport, ExportState, exportCapabilities } from "@mqfuse/mqfuse";
 * import { createMemoryDisk, MemoryBackend } from "@mqfuse/mqfuse/backends";
 * import { assertEquals } from "@std/assert";
 *
 * const size = 1 << 20;
 * const disk = createMemoryDisk(size);
 * const rules = { writable: true, growable: false, allowOther: false };
 * const state = ExportState.create({ size, mode: 0o600, uid: 0, gid: 0 });
 *
 * const kernel = new SimKernel({ queues: 2 });
 * const server = await serveInThread(kernel, {
 *   wish: exportCapabilities(rules),
 *   handler: () =>
 *     new BlockExport({ backend: new MemoryBackend(disk), state, rules }),
 * });
 *
 * const client = new SimClient(kernel);
 * const file = await client.open(2);
 * const checked = new CheckedFile(file, new DiskModel({ size }));
 * await checked.pwrite(new Uint8Array(5000).fill(7), 100);
 * assertEquals(await checked.pread(new Uint8Array(8192), 0), 8192);
 * assertEquals((await client.stat()).size, size);
 * await file.close();
 *
 * kernel.unmount();
 * assertEquals((await server.ended).map((end) => end.reason), [
 *   "unmounted",
 *   "unmounted",
 * ]);
 * assertEquals(kernel.violations, []);
 * ```
 *
 * @module
 */
export type {
  ProtocolVersion,
  ProtocolVersionOptions,
} from "../src/protocol/protocol_version.ts";
export type { Exchange } from "../src/protocol/exchange.ts";
export type {
  INIT_FLAGS,
  InitFlag,
  InitFlagName,
} from "../src/protocol/flags.ts";
export type {
  NegotiatedCapabilities,
  OfferedCapabilities,
  WantedCapabilities,
} from "../src/protocol/init.ts";
export type { OpcodeName, OPCODES } from "../src/protocol/opcodes.ts";
export type {
  ProtocolError,
  ProtocolErrorKind,
} from "../src/protocol/protocol_error.ts";
export type { Reply, ReplyMemory } from "../src/protocol/reply.ts";
export type { Request, RequestMemory } from "../src/protocol/request.ts";
export type { STRUCTS } from "../src/protocol/structs.ts";
export type { Handshake } from "../src/queue/handshake.ts";
export * from "../src/queue/memory_channel.ts";
export * from "../src/queue/memory_queue.ts";
export type { Notifier } from "../src/queue/notifier.ts";
export type {
  QueueCounters,
  QueueStatistics,
  QueueTotals,
} from "../src/queue/queue_statistics.ts";
export type {
  QueueEnd,
  QueueEndReason,
  RequestQueue,
} from "../src/queue/request_queue.ts";
export type { RequestHandler, ServeOptions } from "../src/queue/serve.ts";
export type { CallContext } from "./vfs/getattr.ts";
export type { Caller, Credentials, SimAnswer, SimCall } from "./kernel/call.ts";
export { CheckedFile } from "./oracle/checked_file.ts";
export { SimClient, type SimMount } from "./vfs/sim_client.ts";
export type { TransferFile } from "./vfs/direct_io.ts";
export type { TakenRequest } from "./kernel/dispatch.ts";
export { type OptionalRequest, SimInode, type SimStat } from "./vfs/inode.ts";
export { InodeLock } from "./vfs/locks.ts";
export type { Entry } from "./directories/name_requests.ts";
export { TreeClient } from "./directories/tree_client.ts";
export { Dentry, type NodeOwner, TreeNode } from "./directories/dcache.ts";
export { type Listed, SimDirectory } from "./directories/readdir.ts";
export { OPEN } from "./vfs/file_open.ts";
export { TreeProcess } from "./directories/tree_process.ts";
export { RENAME } from "../src/base/file_flags.ts";
export {
  SimTree,
  type SimTreeOptions,
  type TreeKernel,
} from "./directories/sim_tree.ts";
export type { Opened } from "./vfs/file_open.ts";
export { SimKernel } from "./vfs/sim_kernel.ts";
export type { QueueReport, SimKernelOptions } from "./kernel/kernel_options.ts";
export { DiskModel, type DiskModelOptions } from "./oracle/disk_model.ts";
export {
  ModelMismatch,
  type ModelRead,
  type ModelResize,
  type ModelWrite,
} from "./oracle/model_calls.ts";
export {
  type KernelLimits,
  type KernelOffer,
  LINUX_FLAGS,
} from "./kernel/negotiation.ts";
export type { CachedIo, OpenFile } from "./vfs/file_io.ts";
export type { SimTime } from "./vfs/setattr.ts";
export * from "./kernel/policy.ts";
export {
  serveInThread,
  type ThreadServer,
  type ThreadServerOptions,
} from "./workload/thread_server.ts";
export { SimError } from "./kernel/call.ts";
export type { SimStatfs } from "./vfs/statfs.ts";
export { type FlockKind, FlockTable } from "./vfs/locks.ts";
export { SimMapping } from "./vfs/mapping.ts";
export { SimFile } from "./vfs/sim_file.ts";
export type { Violation, ViolationKind } from "./kernel/violation.ts";
export type {
  HistoryCall,
  Overwrite,
  WriteOutcome,
} from "./oracle/write_history.ts";
export * from "./determinism/clock.ts";
export {
  FAULT_NAMES,
  type FaultName,
  type FaultRates,
  FAULTS,
} from "./faults/faults.ts";
export type { Forget } from "./kernel/forget_list.ts";
export {
  type ClientPlan,
  type JobOptions,
  type Pattern,
  PATTERNS,
  planJob,
  planUser,
  type Step,
  type UserOptions,
} from "./workload/client_plan.ts";
export { Random } from "./determinism/random.ts";
export type { AcceptedReply } from "./kernel/reply_path.ts";
export {
  planOf,
  runSimulation,
  type SimulationOptions,
  type SimulationReport,
  swarmPlan,
} from "./workload/run_simulation.ts";
export { shrinkPlan } from "./workload/shrink.ts";
export * from "./kernel/call.ts";
export { simulatePlan } from "./workload/simulation.ts";
export {
  type SimCosts,
  type SimulationHooks,
  type SimulationOutcome,
  type SimulationPlan,
} from "./workload/simulation_plan.ts";
export type { SizeChange, SizeWindow } from "./oracle/size_model.ts";
export { type CachedFile, PageCache } from "./vfs/page_cache.ts";
export type * from "../src/backends/backend.ts";
export type * from "../src/protocol/types.ts";
