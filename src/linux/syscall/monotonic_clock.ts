import { MS_PER_S, NS_PER_US, US_PER_MS } from "../../base/timespec.ts";
import { pointerOf } from "./ffi_values.ts";
import { libc } from "./libc.ts";

const CLOCK_MONOTONIC = 1;
const TIMESPEC_SIZE = 16;
const NS_PER_MS = NS_PER_US * US_PER_MS;

/**
 * A clock of this thread for the hot path, in milliseconds from an arbitrary
 * start. `performance.now()` takes two and a half times as long and returns a
 * new number on the heap.
 *
 * @throws {UserError} If Deno may not call native code.
 */
export function monotonicClock(): () => number {
  const { clock_gettime_at: clockGettime } = libc();
  const bytes = new Uint8Array(TIMESPEC_SIZE);
  const at = pointerOf(bytes);
  // Both 64-bit fields of struct timespec fit into their lower halves, because
  // this clock starts with the system.
  const time = new Uint32Array(bytes.buffer);
  return () => {
    clockGettime(CLOCK_MONOTONIC, at);
    return time[0]! * MS_PER_S + time[2]! / NS_PER_MS;
  };
}
