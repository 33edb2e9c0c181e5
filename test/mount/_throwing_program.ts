/**
 * A program that mounts `_throwing_handler.ts`. It prints the events of `export`
 * and what is reported, and stops on SIGTERM.
 *
 * @module
 */
import { mountHandler } from "../../mod.ts";

const [, , mountpoint] = Deno.args;

function tell(event: string, more: Record<string, unknown>): void {
  const line = JSON.stringify({ event, ...more }) + "\n";
  Deno.stdout.writeSync(new TextEncoder().encode(line));
}

const session = await mountHandler({
  handler: { module: import.meta.resolve("./_throwing_handler.ts") },
  mountpoint: mountpoint!,
  report: (error, during) =>
    tell("report", { during, message: (error as Error).message }),
});
Deno.addSignalListener("SIGTERM", () => session.close());
tell("ready", { mountpoint: session.mountpoint, pid: Deno.pid });
const { clean, problems, queues } = await session.closed;
for (const message of problems) tell("problem", { message });
tell("closed", { queues });
Deno.exit(clean ? 0 : 1);
