import {
  parentId,
  parentOf,
  signalAtParentEnd,
} from "../../linux/syscall/parent.ts";
import {
  environmentVariable,
  setEnvironmentVariable,
} from "../../linux/syscall/process.ts";
import { libc } from "../../linux/syscall/libc.ts";

/**
 * A script that starts this program sets it to the processes that wait for it,
 * the parent first: of npx this is a shell, and npx itself.
 */
const VARIABLE = "MQFUSE_LAUNCHER";
// signal(7)
const SIGTERM = 15;
/** The status that shells report for a program that SIGTERM ended. */
const ENDED_BY_SIGTERM = 143;
/** How often to look for the launcher above the parent. */
const LOOK_MS = 1000;

/**
 * Ends this program, as SIGTERM does, when a launcher that waits for it ends,
 * such as npx: one that is killed can pass nothing on, and the server would go
 * on although the command has ended. Without a launcher it does nothing. Call it
 * before any other work.
 *
 * @returns An exit status if a launcher has ended already.
 */
export function endWithLauncher(): number | null {
  // Without the permission, the command says so itself if it needs it.
  const { state } = Deno.permissions.querySync({ name: "ffi" });
  if (state !== "granted") return null;
  const launchers = environmentVariable(VARIABLE) ?? "";
  if (launchers === "") return null;
  // They are not the launchers of programs that this one starts.
  setEnvironmentVariable(VARIABLE, "");
  const [parent, above] = launchers.split(" ").map(Number);
  signalAtParentEnd(SIGTERM);
  if (parentId() !== parent) return ENDED_BY_SIGTERM;
  if (above === undefined) return null;
  // The kernel reports the end of the parent alone.
  const hasEnded = () => parentOf(parent) !== above;
  if (hasEnded()) return ENDED_BY_SIGTERM;
  const timer = setInterval(() => {
    if (!hasEnded()) return;
    clearInterval(timer);
    libc().kill(Deno.pid, SIGTERM);
  }, LOOK_MS);
  Deno.unrefTimer(timer);
  return null;
}
