/**
 * Scripts in the simulator: the same export, image and rules, served in this
 * thread, and used by a simulated client.
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
import { type Clock, SimCalls } from "./_sim_calls.ts";
import type { Run } from "./stream.ts";
import type { Script, ScriptMount, Step } from "./step.ts";

/** Changes a step before the simulator sees it: to try out the comparison. */
export type Mutate = (step: Step, index: number) => Step;

/** Runs a script in the simulator. */
export async function runSimulated(
  { mount, steps }: Script,
  mutate: Mutate = (step) => step,
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
  const rules = mount;
  const state = ExportState.create({
    size: mount.size,
    mode: mount.writable ? 0o600 : 0o400,
    uid: 0,
    gid: 0,
  });
  const server = await serveInThread(kernel, {
    wanted: exportCapabilities(rules),
    handler: () => new BlockExport({ backend: makeBackend(), state, rules }),
    around: (queue, index) =>
      new TraceQueue(queue, (record) => records.push(record), { index }),
  });
  const calls = new SimCalls(kernel, clock);
  const results = [];
  for (const [i, step] of steps.entries()) {
    results.push(await calls.run(mutate(step, i)));
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

/** Time that passes when a script sleeps. */
class ScriptClock implements Clock {
  now = 0;

  after(): void {}

  async sleep(ms: number): Promise<void> {
    this.now += ms * 1000;
    await Promise.resolve();
  }
}

function backendMaker({ backend, size, growable }: ScriptMount): () => Backend {
  if (backend === "null") return () => new NullBackend(size);
  if (backend === "pattern") return () => new PatternBackend(size);
  const disk = createMemoryDisk(size, { growable });
  return () => new MemoryBackend(disk);
}
