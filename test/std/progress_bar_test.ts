import { assertEquals, assertMatch } from "@std/assert";
import {
  ProgressBar,
  type ProgressBarFormatter,
} from "@std/cli/unstable-progress-bar";

const LINE = "\r\x1b[K";

/** A stream that keeps every chunk as text. */
function recorder() {
  const chunks: string[] = [];
  const closed = Promise.withResolvers<void>();
  const writable = new WritableStream<Uint8Array>({
    write: (chunk) => void chunks.push(new TextDecoder().decode(chunk)),
    close: () => closed.resolve(),
  });
  return { chunks, closed: closed.promise, writable };
}

const quiet = (bar: ProgressBarFormatter) => `${bar.progressBar} ${bar.value}`;

Deno.test("ProgressBar() draws at once and at the end", async () => {
  const { chunks, writable } = recorder();
  const bar = new ProgressBar({ writable, max: 10_000 });
  bar.value += 5_000;
  await bar.stop();
  assertEquals(chunks, [
    `${LINE}[00:00] [${"-".repeat(50)}] [0.00/9.77 KiB]`,
    `${LINE}[00:00] [${"#".repeat(25)}${"-".repeat(25)}] [4.88/9.77 KiB]`,
    "\n",
  ]);
});

Deno.test("ProgressBar() removes itself with clear: true", async () => {
  const { chunks, writable } = recorder();
  const bar = new ProgressBar({ writable, max: 1, clear: true });
  await bar.stop();
  assertEquals(chunks.slice(1), [LINE]);
});

Deno.test("ProgressBar() draws at intervals", async () => {
  const { chunks, writable } = recorder();
  const bar = new ProgressBar({ writable, max: 1, interval: 1 });
  while (chunks.length < 5) await new Promise((done) => setTimeout(done, 1));
  await bar.stop();
  const { length } = chunks;
  await new Promise((done) => setTimeout(done, 5));
  assertEquals(chunks.length, length);
});

Deno.test("ProgressBar() draws with other characters and formats", async () => {
  const { chunks, writable } = recorder();
  const bar = new ProgressBar({
    writable,
    max: 4,
    value: 1,
    barLength: 4,
    fillChar: "=",
    emptyChar: ".",
    formatter: quiet,
  });
  bar.value = 3;
  bar.max = 6;
  await bar.stop();
  assertEquals(chunks, [`${LINE}=... 1`, `${LINE}==.. 3`, "\n"]);
});

Deno.test("ProgressBar() passes the previous drawing to the formatter", async () => {
  const { writable } = recorder();
  const seen: ProgressBarFormatter[] = [];
  const formatter = (state: ProgressBarFormatter) => {
    seen.push(state);
    return "";
  };
  const bar = new ProgressBar({ writable, max: 4, value: 1, formatter });
  bar.value = 3;
  await bar.stop();
  assertEquals(seen.map((state) => state.previousValue), [1, 1]);
  assertEquals(seen[1]!.previousTime, seen[0]!.time);
  assertEquals(seen[1]!.value, 3);
});

Deno.test("ProgressBar() picks the unit by the maximum", async () => {
  for (const [i, unit] of ["KiB", "MiB", "GiB", "TiB", "PiB"].entries()) {
    const { chunks, writable } = recorder();
    await new ProgressBar({ writable, max: 1024 ** (i + 1) }).stop();
    assertMatch(chunks[0]!, new RegExp(`0.00/1.00 ${unit}\\]$`));
  }
});

Deno.test("ProgressBar() stays within its length", async () => {
  for (const [value, bar] of [[-1, "----"], [9, "####"]] as const) {
    const { chunks, writable } = recorder();
    const options = { writable, max: 4, value, barLength: 4 };
    await new ProgressBar({ ...options, formatter: quiet }).stop();
    assertEquals(chunks[0], `${LINE}${bar} ${value}`);
  }
});

Deno.test("ProgressBar() closes the stream only with keepOpen: false", async () => {
  const kept = recorder();
  await new ProgressBar({ writable: kept.writable, max: 1 }).stop();
  await kept.writable.close();
  const closed = recorder();
  await new ProgressBar({ writable: closed.writable, max: 1, keepOpen: false })
    .stop();
  await closed.closed;
});

Deno.test("ProgressBar() continues when its stream has no reader", async () => {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const bar = new ProgressBar({ writable, max: 1 });
  const stopped = bar.stop();
  await readable.cancel();
  await stopped;
});
