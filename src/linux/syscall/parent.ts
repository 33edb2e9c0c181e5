/**
 * The process that started this one: getppid(2), and PR_SET_PDEATHSIG.
 *
 * @module
 */

import { errno, libc } from "./libc.ts";
import { SystemError } from "./system_error.ts";
import { readText } from "./text_file.ts";

// <linux/prctl.h>
const PR_SET_PDEATHSIG = 1;
const PR_GET_PDEATHSIG = 2;

/** The id of the process that started this one, or that has adopted it. */
export function parentId(): number {
  return libc().getppid();
}

/** The parent of a process; `null` if there is no such process. */
export function parentOf(pid: number): number | null {
  try {
    const status = readText(`/proc/${pid}/status`);
    return Number(/^PPid:\s*(\d+)$/m.exec(status)?.[1] ?? NaN);
  } catch (error) {
    if (error instanceof SystemError) return null;
    throw error;
  }
}

/**
 * Lets the kernel send this process a signal when its parent ends. A parent that
 * has ended before is not noticed: compare {@linkcode parentId} afterwards.
 *
 * The kernel forgets it when the process changes its user or group. It belongs
 * to the calling thread, which must not end before the process does.
 *
 * @param signal The number of the signal, signal(7); 0 for none.
 */
export function signalAtParentEnd(signal: number): void {
  check(libc().prctl(PR_SET_PDEATHSIG, BigInt(signal), 0n, 0n, 0n));
}

/** The signal that {@linkcode signalAtParentEnd} has set, 0 if none. */
export function parentEndSignal(): number {
  const signal = new Int32Array(1);
  const at = Deno.UnsafePointer.value(Deno.UnsafePointer.of(signal));
  check(libc().prctl(PR_GET_PDEATHSIG, at, 0n, 0n, 0n));
  return signal[0]!;
}

/**
 * Runs a function that changes the user or group of this process, and keeps the
 * signal of {@linkcode signalAtParentEnd}. If the parent ends meanwhile, the
 * signal is sent afterwards.
 */
export function keepParentEndSignal(change: () => void): void {
  const signal = parentEndSignal();
  const parent = parentId();
  change();
  if (signal === 0) return;
  signalAtParentEnd(signal);
  if (parentId() !== parent) libc().kill(Deno.pid, signal);
}

function check(result: number): void {
  if (result === 0) return;
  const action = "be told when the parent process ends";
  throw new SystemError({ call: "prctl", action, errno: errno() });
}
