/// <reference lib="deno.worker" />
import { SharedMutex } from "../../src/shared_memory/mutex.ts";

/** Milliseconds that the lock is held, and that it is free. */
const HELD_MS = 0.06;
const FREE_MS = 0.03;

interface Start {
  readonly words: Int32Array<SharedArrayBuffer>;
  /** Not 0 at the end. */
  readonly stop: Int32Array<SharedArrayBuffer>;
}

/** Spends time as a holder does that computes. */
function spend(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

self.onmessage = ({ data: { words, stop } }: MessageEvent<Start>) => {
  const lock = new SharedMutex(words, 1, true);
  while (Atomics.load(stop, 0) === 0) {
    if (!lock.tryLock()) continue;
    spend(HELD_MS);
    lock.unlock();
    spend(FREE_MS);
  }
  self.postMessage(null);
  self.close();
};
