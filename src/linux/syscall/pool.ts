/**
 * Calls in threads of Deno's pool, of which each thread of JavaScript has one.
 *
 * @module
 */
import { startIdleThreads } from "./idle_threads.ts";

/** Less than the 10 s after which the pool ends an idle thread. */
const KEPT_MS = 8000;

/** Calls that are being made. */
let running = 0;
/** When the last one ended: performance.now(). */
let endedAt = -Infinity;

/**
 * Makes a call in a thread of the pool. Deno ends the process where the pool has
 * no thread and can start none, because the user or the cgroup may have no more.
 * So the call is made in another way then.
 *
 * @param call Makes the call in the pool.
 * @param here What to do without a thread.
 */
export async function inPool<R>(
  call: () => Promise<R>,
  here: () => R | Promise<R>,
): Promise<R> {
  if (!hasThread()) return await here();
  running++;
  try {
    return await call();
  } finally {
    running--;
    endedAt = performance.now();
  }
}

function hasThread(): boolean {
  if (running > 0 || performance.now() - endedAt < KEPT_MS) return true;
  using threads = startIdleThreads(1);
  return threads === null || threads.count === 1;
}
