/**
 * Waiting for another thread on a word of shared memory, as with futex(2), but
 * without blocking this thread.
 *
 * @module
 */

/** Twelve days: about half of the longest delay that timers accept. */
const LONGEST_DELAY_MS = 1 << 30;

/**
 * Changes a word and wakes every thread that waits for it.
 *
 * @param words The shared memory.
 * @param index Which word; it counts wake-ups and wraps around.
 */
export function futexWake(
  words: Int32Array<SharedArrayBuffer>,
  index: number,
): void {
  Atomics.add(words, index, 1);
  Atomics.notify(words, index);
}

/**
 * Resolves once a word differs from the value that the caller has read: at once
 * if it does already, so that no wake-up after the reading is missed.
 *
 * @param words The shared memory.
 * @param index Which word.
 * @param seen Its value when the caller read it.
 * @param timeoutMs The longest wait, in milliseconds.
 */
export async function futexWait(
  words: Int32Array<SharedArrayBuffer>,
  index: number,
  seen: number,
  timeoutMs = Infinity,
): Promise<void> {
  const wait = Atomics.waitAsync(words, index, seen, timeoutMs);
  if (!wait.async) return;
  // A pending waitAsync does not keep the event loop alive; a timer does.
  const keepAlive = setInterval(() => {}, LONGEST_DELAY_MS);
  await wait.value;
  clearInterval(keepAlive);
}
