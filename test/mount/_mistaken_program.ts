/**
 * A program that mounts the file system of `_mistaken_module.ts`. It prints a
 * line of JSON when it serves, for each report, and at its end; it ends on
 * SIGTERM.
 *
 * @module
 */
import { mountHandler } from "../../mod.ts";
import make from "./_mistaken_module.ts";

const [mountpoint, transport, place] = Deno.args;

function tell(event: string, more: Record<string, unknown>): void {
  const line = JSON.stringify({ event, ...more }) + "\n";
  Deno.stdout.writeSync(new TextEncoder().encode(line));
}

const session = await mountHandler({
  // In a Worker, or on this thread.
  handler: place === "worker"
    ? { module: import.meta.resolve("./_mistaken_module.ts") }
    : make(),
  mountpoint: mountpoint!,
  transport: transport as "device" | "uring",
  writable: true,
  report: (error, during) => tell("report", { text: String(error), during }),
});
Deno.addSignalListener("SIGTERM", () => session.close());
tell("ready", { transport: session.transport.kind });
const { problems, clean } = await session.closed;
tell("closed", { problems, clean });
Deno.exit(0);
