import { assert, assertEquals } from "@std/assert";
import { BlockingCalls } from "../../src/shared_memory/blocking_calls.ts";
import type { CallsStart } from "./_calls_worker.ts";

/** The same memory for each of some threads. */
function threads(count: number): BlockingCalls[] {
  const words = BlockingCalls.create(count);
  return Array.from(
    { length: count },
    (_, thread) => new BlockingCalls(words, thread),
  );
}

Deno.test("BlockingCalls keeps one thread out of calls that may block", () => {
  const [one, two, three] = threads(3);
  assert(one!.tryEnter());
  assert(two!.tryEnter());
  assert(!three!.tryEnter());
  one!.leave();
  assert(three!.tryEnter());
  assert(!one!.tryEnter());
  two!.leave();
  assert(one!.tryEnter());
});

Deno.test("BlockingCalls lets any one of two threads enter, again and again", () => {
  const [one, two] = threads(2);
  for (const thread of [one, two, two, one, one, two]) {
    assert(thread!.tryEnter());
    thread!.leave();
  }
});

Deno.test("BlockingCalls counts on no thread that has ended", () => {
  const [one, two] = threads(2);
  assert(one!.tryEnter());
  one!.leave();
  two!.ended();
  assert(!one!.tryEnter());
});

Deno.test("BlockingCalls finds another guard when the guard ends", () => {
  const [one, two, three] = threads(3);
  assert(one!.tryEnter());
  assert(two!.tryEnter());
  assert(!three!.tryEnter());
  three!.ended();
  // Both are inside already; the first to leave stays out.
  one!.leave();
  two!.leave();
  assert(one!.tryEnter());
  assert(!two!.tryEnter());
});

Deno.test("BlockingCalls lets a single thread enter only what rarely waits", () => {
  const [one] = threads(1);
  assert(one!.isAlone);
  assert(!one!.tryEnter());
  assert(one!.tryEnter(true));
  one!.leave();
  one!.ended();
});

Deno.test("BlockingCalls keeps the guard out of what rarely waits too", () => {
  const [one, two] = threads(2);
  assert(!one!.isAlone);
  assert(one!.tryEnter(true));
  assert(!two!.tryEnter(true));
});

Deno.test("BlockingCalls keeps one of three Workers outside", async () => {
  const THREADS = 3;
  const words = BlockingCalls.create(THREADS);
  const counts = new Int32Array(new SharedArrayBuffer(4));
  const workers = Array.from({ length: THREADS }, () => {
    const url = import.meta.resolve("./_calls_worker.ts");
    return new Worker(url, { type: "module" });
  });
  const results = await Promise.all(workers.map((worker, thread) => {
    const { promise, resolve } = Promise.withResolvers<
      { most: number; entered: number; refused: number }
    >();
    worker.onmessage = ({ data }) => resolve(data);
    const start: CallsStart = { words, counts, thread, ms: 500 };
    worker.postMessage(start);
    return promise;
  }));
  for (const worker of workers) worker.terminate();
  const entered = results.reduce((sum, result) => sum + result.entered, 0);
  const most = Math.max(...results.map((result) => result.most));
  assert(entered > 1000, `${entered} calls`);
  assert(most < THREADS, `${most} threads were inside at the same time`);
  assertEquals(counts[0], 0);
});
