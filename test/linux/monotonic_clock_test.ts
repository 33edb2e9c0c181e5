import { assert } from "@std/assert";
import { libc } from "../../src/linux/syscall/libc.ts";
import { monotonicClock } from "../../src/linux/syscall/monotonic_clock.ts";
import { missingPermission, testIf } from "../requirements.ts";

const missing = missingPermission("ffi");
// Opened before the test, so that it does not count as a leak.
if (missing === "") libc();

testIf(
  missing,
  "monotonicClock() advances as performance.now() does",
  async () => {
    const clock = monotonicClock();
    let last = clock();
    for (let i = 0; i < 10_000; i++) {
      const now = clock();
      assert(now >= last, `${now} after ${last}`);
      last = now;
    }
    const before = performance.now();
    const start = clock();
    const startAfter = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 30));
    const after = performance.now();
    const passed = clock() - start;
    const end = performance.now();
    assert(passed >= after - startAfter - 0.01, `${passed}`);
    assert(passed <= end - before + 0.01, `${passed}`);
  },
);
