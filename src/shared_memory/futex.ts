/**
 * Waiting for another thread on one word of shared memory, as futex(2) does,
 * without blocking this thread.
 *
 * @module
 */

/** `setInterval` takes no longer delay: about twelve days. */
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
 * Resolves once a word differs from the value that was read earlier: at once if
 * it does already, so that no wake-up between reading and waiting is missed.
 *
 * @param words The shared memory.
 * @param index Which word.
 * @param seen Its value when the caller last looked.
 */
export async function futexWait(
  words: Int32Array<SharedArrayBuffer>,
  index: number,
  seen: number,
): Promise<void> {
  const wait = Atomics.waitAsync(words, index, seen);
  if (!wait.async) return;
  // A pending waitAsync does not keep the event loop alive; a timer does.
  const keepAlive = setInterval(() => {}, LONGEST_DELAY_MS);
  await wait.value;
  clearInterval(keepAlive);
}
