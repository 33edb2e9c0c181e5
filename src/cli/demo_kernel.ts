import { writeTextFile } from "../linux/syscall/text_file.ts";
import { PoolFile } from "../linux/io/pool_file.ts";
import { environmentVariable } from "../linux/syscall/process.ts";
import { mountExport } from "../session/mount_export.ts";
import type { DemoDisk, DemoOptions } from "./demo_disk.ts";

/**
 * A disk in memory that the kernel shows at a temporary file.
 *
 * @throws {UserError} With one sentence that says why that cannot be.
 */
export async function mountDemoDisk(
  { size, queues }: DemoOptions,
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
      queues,
      // By io_uring only as many queues as there are CPUs have something to do.
      transport: "device",
    });
    const file = await PoolFile.open(mountpoint.path).catch(async (error) => {
      await session.close();
      throw error;
    });
    return {
      kernel: "the kernel",
      read: (buffer, position) => file.read(buffer, position),
      write: (buffer, position) => file.write(buffer, position),
      abort: () => void session.abort(),
      async close() {
        // Before the mount goes, and not left to the end of the process: by
        // then nobody would answer what the kernel asks when a file is closed.
        await file.close();
        const { problems, queues } = await session.close();
        mountpoint.remove();
        return { problems, queues };
      },
    };
  } catch (error) {
    mountpoint.remove();
    throw error;
  }
}
