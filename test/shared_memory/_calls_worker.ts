/// <reference lib="deno.worker" />
/** Enters and leaves calls for a while, and counts who is inside. */
import { BlockingCalls } from "../../src/shared_memory/blocking_calls.ts";

export interface CallsStart {
  readonly words: Int32Array<SharedArrayBuffer>;
  /** How many threads are inside. */
  readonly counts: Int32Array<SharedArrayBuffer>;
  readonly thread: number;
  readonly ms: number;
}

self.onmessage = ({ data }: MessageEvent<CallsStart>) => {
  const { words, counts, thread, ms } = data;
  const calls = new BlockingCalls(words, thread);
  const end = performance.now() + ms;
  let most = 0;
  let entered = 0;
  let refused = 0;
  while (performance.now() < end) {
    for (let i = 0; i < 100; i++) {
      if (!calls.tryEnter()) {
        refused++;
        continue;
      }
      most = Math.max(most, Atomics.add(counts, 0, 1) + 1);
      entered++;
      for (let spin = 0; spin < (i * 7) % 50; spin++) Atomics.load(counts, 0);
      Atomics.sub(counts, 0, 1);
      calls.leave();
    }
  }
  self.postMessage({ most, entered, refused });
};
