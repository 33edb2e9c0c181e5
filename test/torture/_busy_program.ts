/**
 * Mounts `_busy_fs.ts`: how long reads take, how many notifications to send, and
 * the mount point follow two arguments that are ignored. Prints events as lines of
 * JSON, and stops on SIGTERM.
 *
 * @module
 */
import { mountFileSystem } from "../../fs.ts";
import { BusyFs } from "./_busy_fs.ts";

const [, , slowMs, notifications, mountpoint] = Deno.args;

function tell(event: string, more: Record<string, unknown>): void {
  const line = JSON.stringify({ event, ...more }) + "\n";
  Deno.stdout.writeSync(new TextEncoder().encode(line));
}

const fs = new BusyFs(Number(slowMs));
const session = await mountFileSystem(fs, mountpoint!, {
  signals: true,
  attrSeconds: 0,
  cache: (node) => node === fs.files.get("slow") ? "none" : "open",
  report: (error, during) => tell("report", { during, message: `${error}` }),
});
fs.session = session;
fs.startNotifying(Number(notifications));
tell("ready", { mountpoint: session.mountpoint, pid: Deno.pid });
let last = "";
const timer = setInterval(() => {
  const { reading, sent, settled, waiting } = fs;
  const state = {
    reading,
    waiting: waiting.size,
    sent,
    settled,
    rejected: fs.rejected.length,
  };
  if (JSON.stringify(state) === last) return;
  last = JSON.stringify(state);
  tell("state", state);
}, 50);
const { clean, problems } = await session.closed;
clearInterval(timer);
for (const message of problems) tell("problem", { message });
for (const error of fs.rejected.slice(0, 3)) {
  tell("problem", { message: `${error}` });
}
Deno.exit(clean ? 0 : 1);
