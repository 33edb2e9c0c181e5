/**
 * A program that serves the handler of `test/queue/_gated_handler.ts` through one
 * queue. It prints the events of `export`, and stops on SIGTERM.
 *
 * @module
 */
import { mountHandler } from "../../mod.ts";

const [, , mountpoint, queueMemory] = Deno.args;

function tell(event: string, more: Record<string, unknown>): void {
  const line = JSON.stringify({ event, ...more }) + "\n";
  Deno.stdout.writeSync(new TextEncoder().encode(line));
}

const session = await mountHandler({
  handler: { module: import.meta.resolve("../queue/_gated_handler.ts") },
  root: "file",
  mountpoint: mountpoint!,
  queues: 1,
  queueMemory: Number(queueMemory),
  transport: "device",
  writable: true,
  wanted: { flags: ["POSIX_LOCKS"], maxWrite: 1 << 20 },
});
Deno.addSignalListener("SIGTERM", () => session.abort());
tell("ready", { mountpoint: session.mountpoint, pid: Deno.pid });
const { queues } = await session.closed;
tell("closed", { queues });
Deno.exit(0);
