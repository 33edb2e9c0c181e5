/**
 * Whether code that every READ and WRITE passes leaves the heap alone.
 *
 * @module
 */

const CALLS = 500_000;
const GROWTH_MAX = 1 << 20;

/**
 * Bytes that a function allocates when called many times, garbage included. The
 * heap is looked at so often that 100 bytes a call are not collected meanwhile:
 * V8 collects each MiB.
 */
function allocated(times: number, fn: () => void): number {
  const step = 500;
  let sum = 0;
  let last = Deno.memoryUsage().heapUsed;
  for (let done = 0; done < times; done += step) {
    for (let i = 0; i < step; i++) fn();
    const now = Deno.memoryUsage().heapUsed;
    sum += Math.max(0, now - last);
    last = now;
  }
  return sum;
}

/**
 * Requires that a function which handles a READ and a WRITE allocates nothing.
 *
 * @throws {Error} If a million messages make the heap grow by more than 1 MiB.
 */
export function checkAllocation(handleBoth: () => void): void {
  let least = Infinity;
  for (let attempt = 0; attempt < 5 && least >= GROWTH_MAX; attempt++) {
    // The first round also pays for what the compiler makes of the code.
    const own = allocated(CALLS, () => {});
    least = Math.min(least, allocated(CALLS, handleBoth) - own);
  }
  // deno-lint-ignore no-console -- a benchmark reports
  console.log(`heap: ${least} bytes for a million READ and WRITE messages`);
  if (least >= GROWTH_MAX) throw new Error(`The heap grew by ${least} bytes`);
}
