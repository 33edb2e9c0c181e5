import { ExportProcess } from "./_export_process.ts";
import type { FaultName } from "./_faulty_backend.ts";

const PROGRAM = new URL("./_faulty_program.ts", import.meta.url).pathname;

/** Exports the backend of `_faulty_backend.ts` from a process of its own. */
export async function startFaulty(
  fault: FaultName,
  mountpoint: string,
  queues: number,
  transport: "device" | "uring" = "device",
): Promise<ExportProcess> {
  const how = `--transport=${transport}`;
  return await ExportProcess.start([fault, mountpoint, String(queues), how], {
    main: PROGRAM,
    permissions: ["-A"],
  });
}
