/**
 * A simulated kernel, to test a FUSE server without root and without a mount. A
 * seed makes every run the same. It sends the requests that Linux's FUSE driver
 * sends for a mount of one plain file ({@linkcode SimClient}) or of a tree
 * ({@linkcode TreeClient}), spreads them over several queues, checks every
 * reply as the driver does, and compares what is read with a model of the disk.
 *
 * - **Kernel**: {@linkcode SimKernel} is the driver and its queues;
 *   {@linkcode serveInThread} runs a server on them. The server's end of a
 *   queue, `MemoryQueue`, is in `@mqfuse/mqfuse/queue`.
 * - **Files**, **Directories**: {@linkcode SimClient} and
 *   {@linkcode TreeClient} are processes; their methods are system calls.
 * - **Checking**: {@linkcode CheckedFile} compares a file with a
 *   {@linkcode DiskModel}.
 * - **Simulation**, **Faults**: {@linkcode runSimulation} runs a whole export
 *   under load, with faults, by seed.
 * - **Policies**, **Time and chance**: which queue gets a request, virtual
 *   time, random numbers.
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
 * import {
 *   BlockExport,
 *   exportCapabilities,
 *   ExportState,
 * } from "@mqfuse/mqfuse/export";
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
 *   wanted: exportCapabilities(rules),
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
// Kernel.
export { SimKernel } from "./vfs/sim_kernel.ts";
export { FuseDriver } from "./kernel/fuse_driver.ts";
export type { QueueReport, SimKernelOptions } from "./kernel/kernel_options.ts";
export type { QueueOptions } from "./kernel/queue_link.ts";
export {
  type KernelLimits,
  type KernelOffer,
  LINUX_FLAGS,
  offerOf,
} from "./kernel/negotiation.ts";
export {
  type Caller,
  type Credentials,
  type Signal,
  Signals,
  type SimAnswer,
  type SimCall,
  SimError,
} from "./kernel/call.ts";
export type { PendingRequest, TakenRequest } from "./kernel/dispatch.ts";
export type { WakeListener } from "./kernel/readers.ts";
export type { AcceptedReply } from "./kernel/reply_path.ts";
export type { Forget } from "./kernel/forget_list.ts";
export {
  serveInThread,
  type ThreadServer,
  type ThreadServerOptions,
} from "./workload/thread_server.ts";

// Policies.
export {
  type DispatchPolicy,
  ExclusiveFifoPolicy,
  HerdPolicy,
  PerCpuPolicy,
  POLICY_NAMES,
  type PolicyName,
  policyNamed,
  RoundRobinPolicy,
} from "./kernel/policy.ts";

// Files.
export { SimClient, type SimMount } from "./vfs/sim_client.ts";
export type { SimFile } from "./vfs/sim_file.ts";
export type { SimMapping } from "./vfs/mapping.ts";
export type { SimStat } from "./vfs/inode.ts";
export type { SimStatfs } from "./vfs/statfs.ts";
export type { SimTime } from "./vfs/setattr.ts";
export type { FlockKind } from "./vfs/locks.ts";

// Directories.
export { SimTree } from "./directories/sim_tree.ts";
export {
  type SimTreeOptions,
  type TreeKernel,
} from "./directories/superblock.ts";
export { TreeClient } from "./directories/tree_client.ts";
export {
  FileSystemSimulation,
  simulate,
  type SimulateOptions,
} from "./workload/simulate.ts";
export type { Listed, SimDirectory } from "./directories/readdir.ts";
export { OPEN } from "./vfs/file_open.ts";

// Checking.
export { CheckedFile } from "./oracle/checked_file.ts";
export { DiskModel, type DiskModelOptions } from "./oracle/disk_model.ts";
export type { SizeChange } from "./oracle/size_model.ts";
export {
  ModelMismatch,
  type ModelRead,
  type ModelResize,
  type ModelWrite,
} from "./oracle/model_calls.ts";
export type { WriteOutcome } from "./oracle/write_history.ts";
export { ReplyChecker } from "./oracle/reply_checker.ts";
export type { Violation, ViolationKind } from "./kernel/violation.ts";

// Simulation.
export {
  runSimulation,
  type SimulationOptions,
  type SimulationReport,
  swarmPlan,
} from "./workload/run_simulation.ts";
export type {
  Timeline,
  TimelineFault,
  TimelineRequest,
  TimelineWake,
} from "./workload/timeline.ts";
export { simulatePlan } from "./workload/simulation.ts";
export { shrinkPlan } from "./workload/shrink.ts";
export type {
  SimCosts,
  SimulationHooks,
  SimulationOutcome,
  SimulationPlan,
} from "./workload/simulation_plan.ts";
export {
  type ClientPlan,
  type JobOptions,
  type Pattern,
  PATTERNS,
  planJob,
  type Step,
} from "./workload/client_plan.ts";

// Faults.
export {
  FAULT_NAMES,
  type FaultName,
  type FaultRates,
  FAULTS,
} from "./faults/faults.ts";

// Time and chance.
export {
  type Clock,
  type ClockStop,
  STILL_CLOCK,
  VirtualClock,
} from "./determinism/clock.ts";
export { Random } from "./determinism/random.ts";
