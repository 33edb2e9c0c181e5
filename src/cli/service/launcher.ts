import { parentId, signalAtParentEnd } from "../../linux/syscall/parent.ts";
import {
  environmentVariable,
  setEnvironmentVariable,
} from "../../linux/syscall/process.ts";

/** A script that starts this program sets it to the process that waits for it. */
const VARIABLE = "MQFUSE_LAUNCHER";
// signal(7)
const SIGTERM = 15;
/** The status that shells report for a program that SIGTERM ended. */
const ENDED_BY_SIGTERM = 143;

/**
 * Ends this program, as SIGTERM does, when the launcher that waits for it ends,
 * such as npx: one that is killed can pass nothing on, and the server would go
 * on although the command has ended. Without a launcher it does nothing. Call it
 * before any other work.
 *
 * @returns An exit status if the launcher has ended already.
 */
export function endWithLauncher(): number | null {
  // Without the permission, the command says so itself if it needs it.
  const { state } = Deno.permissions.querySync({ name: "ffi" });
  if (state !== "granted") return null;
  const launcher = environmentVariable(VARIABLE) ?? "";
  if (launcher === "") return null;
  // It is not the launcher of programs that this one starts.
  setEnvironmentVariable(VARIABLE, "");
  signalAtParentEnd(SIGTERM);
  return parentId() === Number(launcher) ? null : ENDED_BY_SIGTERM;
}
