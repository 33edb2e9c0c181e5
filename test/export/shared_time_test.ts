import { assert, assertEquals } from "@std/assert";
import { SharedTime } from "../../src/export/shared_time.ts";

const YEAR_2500 = 16_725_225_600_123_456_789n;
const YEAR_1900 = -2_208_988_800_000_000_001n;

Deno.test("SharedTime keeps every time to the nanosecond", () => {
  const memory = new SharedArrayBuffer(8 + SharedTime.BYTES);
  const time = new SharedTime(memory, 8);
  assertEquals(time.value, 0n);
  const seconds = 2n ** 63n - 1n;
  const largest = seconds * 1_000_000_000n + 999_999_999n;
  for (const ns of [1n, -1n, YEAR_2500, YEAR_1900, largest, 0n]) {
    time.value = ns;
    assertEquals(time.value, ns);
    assertEquals(new SharedTime(memory, 8).value, ns);
  }
});

Deno.test("SharedTime is never read half", async () => {
  const memory = new SharedArrayBuffer(SharedTime.BYTES);
  const source = `
    import { SharedTime } from "${new URL(
    "../../src/export/shared_time.ts",
    import.meta.url,
  )}";
    self.onmessage = ({ data: { memory, sign } }) => {
      const time = new SharedTime(memory, 0);
      for (let i = 1n; i <= 50_000n; i++) time.value = sign * i * 1_000_000_001n;
      self.postMessage(null);
    };`;
  const url = `data:application/typescript,${encodeURIComponent(source)}`;
  const workers = [1n, -1n].map((sign) => {
    const worker = new Worker(url, { type: "module" });
    const ended = new Promise((resolve) => worker.onmessage = resolve);
    worker.postMessage({ memory, sign });
    return { worker, ended };
  });
  let writing = true;
  const all = Promise.all(workers.map(({ ended }) => ended))
    .then(() => writing = false);
  const time = new SharedTime(memory, 0);
  let reads = 0;
  while (writing) {
    for (let i = 0; i < 1000; i++, reads++) {
      assertEquals(time.value % 1_000_000_001n, 0n);
    }
    await new Promise((resolve) => setTimeout(resolve));
  }
  await all;
  for (const { worker } of workers) worker.terminate();
  assert(reads > 0);
});
