import { assert, assertEquals } from "@std/assert";
import { createMemoryDisk } from "../../src/backends/protocols/memory.ts";
import { ExportState } from "../../src/export/export_state.ts";
import { CheckedFile } from "../../sim/oracle/checked_file.ts";
import { SimClient } from "../../sim/vfs/sim_client.ts";
import { SimKernel } from "../../sim/vfs/sim_kernel.ts";
import { DiskModel } from "../../sim/oracle/disk_model.ts";
import { missingPermission, testIf } from "../requirements.ts";
import type { SimWorkerStart } from "./_worker.ts";

const SIZE = 1 << 20;
const QUEUES = 3;

/** Starts a Worker for each queue. */
function startWorkers(kernel: SimKernel) {
  const disk = createMemoryDisk(SIZE);
  const state = ExportState.create({ size: SIZE, mode: 0o600, uid: 0, gid: 0 });
  return kernel.handles.map((handle) => {
    const url = new URL("./_worker.ts", import.meta.url);
    const worker = new Worker(url, { type: "module" });
    const start: SimWorkerStart = { handle, disk, memory: state.memory };
    const ended = new Promise<string>((resolve) => {
      worker.onmessage = ({ data }) => resolve(data);
    });
    worker.postMessage(start);
    return { worker, ended };
  });
}

for (const layout of ["contiguous", "separate"] as const) {
  testIf(
    missingPermission("read"),
    `SimKernel is served by Workers (${layout})`,
    async () => {
      const kernel = new SimKernel({ queues: QUEUES, layout, capacity: 4 });
      const workers = startWorkers(kernel);
      const running = kernel.run();
      const client = new SimClient(kernel);
      const model = new DiskModel({ size: SIZE });
      const jobs = [0, 1, 2, 3].map(async (job) => {
        const file = new CheckedFile(await client.open(2), model);
        for (let i = 0; i < 100; i++) {
          const position = (i * 37_777 + job * 5000) % (SIZE - 20_000);
          const bytes = new Uint8Array(1 + (i * 991) % 20_000);
          await file.pwrite(bytes.fill(1 + i + job), position);
          await file.aioRead(new Uint8Array(20_000), position);
        }
        await file.file.close();
      });
      await Promise.all(jobs);
      const before = kernel.queues;
      kernel.unmount();
      await running;
      const ends = await Promise.all(workers.map(({ ended }) => ended));
      for (const { worker } of workers) worker.terminate();
      assertEquals(ends, ["unmounted", "unmounted", "unmounted"]);
      assertEquals(kernel.violations, []);
      assertEquals(kernel.outstanding, 0);
      for (const { taken } of before) assert(taken > 200, `${taken}`);
    },
  );
}

testIf(
  missingPermission("read"),
  "SimKernel notices a Worker that closes its queue",
  async () => {
    const kernel = new SimKernel({ queues: 1 });
    const [server] = startWorkers(kernel);
    const running = kernel.run();
    const client = new SimClient(kernel);
    await client.stat();
    server!.worker.postMessage("close");
    assertEquals(await server!.ended, "closed");
    await running;
    assertEquals(kernel.connected, false);
    server!.worker.terminate();
  },
);
