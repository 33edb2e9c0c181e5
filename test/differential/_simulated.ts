/**
 * Scripts in the simulator: the same export or file system in memory, served by this thread
 * and used by a simulated client.
 *
 * @module
 */
import {
  createMemoryDisk,
  MemoryBackend,
} from "../../src/backends/protocols/memory.ts";
import type { Backend } from "../../src/backends/backend.ts";
import { NullBackend } from "../../src/backends/protocols/null.ts";
import { PatternBackend } from "../../src/backends/protocols/pattern.ts";
import {
  BlockExport,
  exportCapabilities,
  MAX_PAYLOAD,
} from "../../src/export/block_export.ts";
import { ExportState } from "../../src/export/export_state.ts";
import type { TraceRecord } from "../../src/protocol/trace_record.ts";
import { TraceQueue } from "../../src/queue/trace_queue.ts";
import { SimKernel } from "../../sim/vfs/sim_kernel.ts";
import { serveInThread } from "../../sim/workload/thread_server.ts";
import { SimError } from "../../sim/kernel/call.ts";
import { errnoName } from "../../src/base/errno.ts";
import { SimulatedMemory } from "../filesystem/_simulated_memory.ts";
import { ScriptClock, SimExportCalls } from "./_sim_export_calls.ts";
import { SimTreeCalls } from "./_sim_tree_calls.ts";
import {
  carryOut,
  type ExportMount,
  type Script,
  type Step,
  type StepResult,
} from "./step.ts";
import { type Run, TREE_TIME } from "./stream.ts";

/** Changes a step before the simulator receives it, to test the comparison. */
export type Mutate = (step: Step) => Step;

/** Runs a script in the simulator. */
export async function runSimulated(
  { mount, steps }: Script,
  mutate: Mutate = (step) => step,
): Promise<Run> {
  const changed = steps.map(mutate);
  return mount.kind === "tree"
    ? await runOnTree(changed)
    : await runOnExport(mount, changed);
}

function errnoOf(error: unknown): string | null {
  return error instanceof SimError ? errnoName(error.errno) : null;
}

async function runOnTree(steps: readonly Step[]): Promise<Run> {
  const mounted = await SimulatedMemory.mount(1, () => TREE_TIME);
  const calls = new SimTreeCalls(mounted);
  const results: StepResult[] = [];
  for (const step of steps) {
    results.push(await carryOut(calls, step, errnoOf));
    // The real server has time for requests that no client waits for.
    await mounted.quiet();
  }
  await calls.finish();
  await mounted.quiet();
  const records = [...mounted.records];
  await mounted.end();
  return { records, results };
}

async function runOnExport(
  mount: ExportMount,
  steps: readonly Step[],
): Promise<Run> {
  const records: TraceRecord[] = [];
  const clock = new ScriptClock();
  const kernel = new SimKernel({
    queues: mount.queues,
    maxRead: MAX_PAYLOAD,
    readOnly: !mount.writable,
    allowOther: mount.allowOther,
    clock,
  });
  const makeBackend = backendMaker(mount);
  const state = ExportState.create({
    size: mount.size,
    mode: mount.writable ? 0o600 : 0o400,
    uid: 0,
    gid: 0,
  });
  const server = await serveInThread(kernel, {
    wanted: exportCapabilities(mount),
    handler: () =>
      new BlockExport({ backend: makeBackend(), state, rules: mount }),
    around: (queue, index) =>
      new TraceQueue(queue, (record) => records.push(record), { index }),
  });
  const calls = new SimExportCalls(kernel, clock);
  const results: StepResult[] = [];
  for (const step of steps) {
    results.push(await carryOut(calls, step, errnoOf));
  }
  await calls.finish();
  while (kernel.outstanding > 0) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  kernel.unmount();
  await server.ended;
  if (kernel.violations.length > 0) {
    throw new Error(kernel.violations.map(({ message }) => message).join("\n"));
  }
  return { records, results };
}

function backendMaker({ backend, size, growable }: ExportMount): () => Backend {
  if (backend === "null") return () => new NullBackend(size);
  if (backend === "pattern") return () => new PatternBackend(size);
  const disk = createMemoryDisk(size, { growable });
  return () => new MemoryBackend(disk);
}
