/**
 * The disk of the demonstration: mounted by the kernel, or where that is not
 * possible, by a simulated kernel in this thread.
 *
 * @module
 */
import { serveInThread, SimClient, SimKernel } from "../../../sim/mod.ts";
import {
  createMemoryDisk,
  MemoryBackend,
} from "../../backends/protocols/memory.ts";
import { O } from "../../base/file_flags.ts";
import { BlockExport, exportCapabilities } from "../../export/block_export.ts";
import { ExportState } from "../../export/export_state.ts";
import { writeTextFile } from "../../linux/syscall/text_file.ts";
import { PoolFile } from "../../linux/io/pool_file.ts";
import { environmentVariable } from "../../linux/syscall/process.ts";
import {
  QueueStatistics,
  type QueueTotals,
} from "../../queue/queue_statistics.ts";
import type { QueueEnd } from "../../queue/request_queue.ts";
import type { ExportSession } from "../../session/export_session.ts";
import { mountExport } from "../../session/mount_export.ts";
import type { SessionOptions } from "../../session/session_options.ts";
import type { DemoFile } from "./traffic.ts";

/** The size of the disk, and how it is served. */
export interface DemoOptions extends Pick<SessionOptions, "report"> {
  /** Size of the disk in bytes. */
  readonly size: number;
  /** The number of queues. */
  readonly queues: number;
}

/** The result of serving the disk. */
export interface DemoEnd {
  /** What went wrong, one sentence each. */
  readonly problems: readonly string[];
  /** The totals of each queue. */
  readonly queues: readonly QueueTotals[];
}

/** A disk to write to and read from. */
export interface DemoDisk extends DemoFile {
  /** The kernel that it is used through. */
  readonly kernel: "the kernel" | "a simulated kernel";
  /** Makes all transfers in flight fail. */
  abort(): void;
  /** Ends the service and removes all its files. */
  close(): Promise<DemoEnd>;
}

/**
 * Mounts a disk in memory over a temporary file.
 *
 * @throws {UserError} If it cannot be mounted.
 */
export async function mountDemoDisk(
  { size, ...options }: DemoOptions,
): Promise<DemoDisk> {
  const directory = environmentVariable("TMPDIR") ?? "/tmp";
  const name = `mqfuse-demo-${crypto.randomUUID()}.img`;
  const mountpoint = writeTextFile(`${directory}/${name}`, "", {
    exclusive: true,
    mode: 0o600,
  });
  try {
    const session = await mountExport({
      source: `memory:${size}`,
      mountpoint: mountpoint.path,
      writable: true,
      ...options,
      // Over io_uring, only as many queues as there are CPUs get requests.
      transport: "device",
    });
    const file = await PoolFile.open(mountpoint.path).catch(async (error) => {
      await session.close();
      throw error;
    });
    return mountedDisk(session, file, () => mountpoint.remove());
  } catch (error) {
    mountpoint.remove();
    throw error;
  }
}

function mountedDisk(
  session: ExportSession,
  file: PoolFile,
  remove: () => void,
): DemoDisk {
  return {
    kernel: "the kernel",
    read: (buffer, position) => file.read(buffer, position),
    write: (buffer, position) => file.write(buffer, position),
    abort: () => void session.abort(),
    async close() {
      // Before the session ends: closing the file sends a FLUSH, which must be
      // answered.
      await file.close();
      const { problems, queues } = await session.close();
      remove();
      return { problems, queues };
    },
  };
}

/** Serves a disk in memory to a simulated kernel, all in this thread. */
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
      checkCount(await file.pread(buffer, position), buffer);
    },
    write: async (buffer, position) => {
      checkCount(await file.pwrite(buffer, position), buffer);
    },
    abort: () => kernel.abort(),
    async close() {
      await file.close();
      kernel.unmount();
      return endOf(kernel, await server.ended, statistics);
    },
  };
}

function checkCount(count: number, buffer: Uint8Array): void {
  if (count === buffer.byteLength) return;
  throw new Error(`Transferred only ${count} of ${buffer.byteLength} bytes`);
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
