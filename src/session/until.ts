/** Milliseconds between two checks of a condition. */
const CHECK_AGAIN_MS = 5;

/**
 * Waits until a condition holds.
 *
 * @param timeoutMs How long at most, in milliseconds.
 * @returns Whether it holds.
 */
export async function until(
  condition: () => boolean,
  timeoutMs: number,
): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() >= deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, CHECK_AGAIN_MS));
  }
  return true;
}
