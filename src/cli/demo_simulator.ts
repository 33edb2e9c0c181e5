import { serveInThread, SimClient, SimKernel } from "../../sim/mod.ts";
import {
  createMemoryDisk,
  MemoryBackend,
} from "../backends/protocols/memory.ts";
import { BlockExport, exportCapabilities } from "../export/block_export.ts";
import { ExportState } from "../export/export_state.ts";
import { O } from "../base/file_flags.ts";
import { QueueStatistics } from "../queue/queue_statistics.ts";
import type { QueueEnd } from "../queue/request_queue.ts";
import type { DemoDisk, DemoEnd, DemoOptions } from "./demo_disk.ts";

/** A disk in memory behind a simulated kernel, all of it in this thread. */
export async function simulateDemoDisk(
  { size, queues }: DemoOptions,
): Promise<DemoDisk> {
  const disk = createMemoryDisk(size);
  const rules = { writable: true, growable: false, allowOther: false };
  const state = ExportState.create({ size, mode: 0o600, uid: 0, gid: 0 });
  const statistics = QueueStatistics.create(queues);
  const kernel = new SimKernel({ queues });
  const server = await serveInThread(kernel, {
    wanted: exportCapabilities(rules),
    statistics,
    handler: () =>
      new BlockExport({ backend: new MemoryBackend(disk), state, rules }),
  });
  const file = await new SimClient(kernel).open(O.RDWR);
  return {
    kernel: "a simulated kernel",
    read: async (buffer, position) => {
      refuseShort(await file.pread(buffer, position), buffer);
    },
    write: async (buffer, position) => {
      refuseShort(await file.pwrite(buffer, position), buffer);
    },
    abort: () => kernel.abort(),
    async close() {
      await file.close();
      kernel.unmount();
      return endOf(kernel, await server.ended, statistics);
    },
  };
}

function refuseShort(count: number, buffer: Uint8Array): void {
  if (count === buffer.byteLength) return;
  throw new Error(
    `Transferred only ${count} of ${buffer.byteLength} bytes`,
  );
}

function endOf(
  kernel: SimKernel,
  ends: readonly QueueEnd[],
  statistics: QueueStatistics,
): DemoEnd {
  const failed = ends.filter(({ reason }) => reason === "failed");
  const problems = [
    ...kernel.violations.map(({ message }) => message),
    ...failed.map(({ message }) => message),
  ];
  return { problems, queues: statistics.totals() };
}
