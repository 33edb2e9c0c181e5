/**
 * A program that mounts `_notifying_fs.ts`, in a Worker or on its own thread. It
 * prints the events of `export`, and one when all notifications are settled. It stops on SIGTERM.
 *
 * @module
 */
import { mountHandler } from "../../mod.ts";
import { COUNT, NotifyingFs } from "./_notifying_fs.ts";

const [, , place, mountpoint, total] = Deno.args;

function tell(event: string, more: Record<string, unknown>): void {
  const line = JSON.stringify({ event, ...more }) + "\n";
  Deno.stdout.writeSync(new TextEncoder().encode(line));
}

const counts = new Int32Array(new SharedArrayBuffer(4 * COUNT.LENGTH));
const options = { total: Number(total), counts };
const here = new NotifyingFs(options);
const session = await mountHandler({
  handler: place === "worker"
    ? { module: import.meta.resolve("./_notifying_fs.ts"), options }
    : here,
  mountpoint: mountpoint!,
  writable: true,
  wanted: { flags: ["WRITEBACK_CACHE"] },
  report: (error, during) => tell("report", { during, message: `${error}` }),
});
if (place !== "worker") here.start(session.notifier);
Deno.addSignalListener("SIGTERM", () => session.close());
tell("ready", { mountpoint: session.mountpoint, pid: Deno.pid });
const settled = () =>
  counts[COUNT.TAKEN]! + counts[COUNT.ABSENT]! + counts[COUNT.REJECTED]!;
const timer = setInterval(() => {
  if (settled() < options.total) return;
  clearInterval(timer);
  const [handler, timers, taken, absent, rejected, retrieved] = counts;
  tell("settled", { handler, timers, taken, absent, rejected, retrieved });
}, 20);
const { clean, problems, queues } = await session.closed;
for (const message of problems) tell("problem", { message });
tell("closed", { queues });
Deno.exit(clean ? 0 : 1);
