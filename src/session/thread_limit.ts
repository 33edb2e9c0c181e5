/**
 * Finds the limit that stops a session from starting its threads.
 *
 * @module
 */
import { startIdleThreads } from "../linux/syscall/idle_threads.ts";
import {
  isExemptFrom,
  raiseLimit,
  resourceLimit,
} from "../linux/syscall/resource_limits.ts";
import { fullCgroup, threadsMax } from "../linux/syscall/task_limits.ts";
import type { LimitState } from "./limit_table.ts";

/**
 * Starts as many threads as a session needs, and ends them. That is the only way
 * to learn whether they can be started, because several limits count the threads
 * of other programs too. Raises RLIMIT_NPROC if that helps.
 *
 * @param wanted How many are needed.
 * @returns The limit that does not suffice; `null` if all were started.
 */
export function findThreadLimit(wanted: number): LimitState | null {
  const limit = tryThreads(wanted);
  if (limit?.key !== "userThreads") return limit;
  const value = raiseLimit("NPROC", limit.need);
  return value < limit.need ? { ...limit, value } : tryThreads(wanted);
}

function tryThreads(wanted: number): LimitState | null {
  using threads = startIdleThreads(wanted);
  if (threads === null || threads.count === wanted) return null;
  const missing = wanted - threads.count;
  // While the threads run, the limit that they have met is full.
  const cgroup = fullCgroup();
  if (cgroup !== null) return stateOf("cgroupThreads", cgroup, missing);
  const { soft } = resourceLimit("NPROC");
  const all = threadsMax();
  if (soft < all.max && !isExemptFrom("NPROC")) {
    return stateOf("userThreads", { max: soft }, missing);
  }
  return stateOf("systemThreads", all, missing);
}

function stateOf(
  key: LimitState["key"],
  { max, path }: { readonly max: number; readonly path?: string },
  missing: number,
): LimitState {
  const file = path === undefined ? {} : { file: path };
  return { key, value: max, need: max + missing, ...file };
}
