/**
 * A program that exports a backend module, which main.ts cannot. It prints the
 * same events and stops on the same signals.
 *
 * @module
 */
import { createMemoryDisk } from "../../src/backends/mod.ts";
import { mountExport } from "../../mod.ts";
import type { FaultName, FaultyOptions } from "./_faulty_backend.ts";

const SIZE = 16 << 20;
/** Milliseconds after which a Worker counts as hung: less than a pause. */
const HANG_MS = 1000;
const [, , fault, mountpoint, queues, transport] = Deno.args;

function tell(event: string, more: Record<string, unknown>): void {
  const line = JSON.stringify({ event, ...more }) + "\n";
  Deno.stdout.writeSync(new TextEncoder().encode(line));
}

const growable = fault === "dies resizing";
const options: FaultyOptions = {
  fault: fault as FaultName,
  disk: createMemoryDisk(SIZE, { growable }),
  triggered: new SharedArrayBuffer(4),
};
const session = await mountExport({
  source: { module: import.meta.resolve("./_faulty_backend.ts"), options },
  mountpoint: mountpoint!,
  queues: Number(queues),
  transport: transport === "--transport=uring" ? "uring" : "device",
  writable: true,
  growable,
  hangMs: HANG_MS,
  // Clients of a Worker that hangs use the mount until it is gone.
  stopTimeout: 0,
  report: (error, during) =>
    tell("report", { during, message: (error as Error).message }),
  warn: (message) => tell("warning", { message }),
});
let signals = 0;
Deno.addSignalListener("SIGTERM", () => {
  if (++signals === 1) session.close();
  else session.abort();
});
tell("ready", { mountpoint: session.mountpoint, pid: Deno.pid });
const { clean, problems, queues: totals } = await session.closed;
for (const message of problems) tell("problem", { message });
tell("closed", { queues: totals });
Deno.exit(clean ? 0 : 1);
