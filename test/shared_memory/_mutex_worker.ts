/// <reference lib="deno.worker" />
import { SharedMutex } from "../../src/shared_memory/mutex.ts";

const ROUNDS = 500;
const CALLERS = 8;

interface Start {
  readonly words: Int32Array<SharedArrayBuffer>;
  readonly data: Int32Array<SharedArrayBuffer>;
  readonly holder: number;
}

/** Adds to a number by no atomic operation, with the lock held. */
async function call(lock: SharedMutex, data: Int32Array): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    const held = lock.lock();
    if (held !== 0) await held;
    const before = data[0]!;
    for (let i = 0; i < 50; i++) data[0] = before + i + 1;
    if (round % 16 === 0) await undefined;
    data[0] = before + 1;
    lock.unlock();
    if (round % 8 === 0) await undefined;
  }
}

self.onmessage = async ({ data: start }: MessageEvent<Start>) => {
  const lock = new SharedMutex(start.words, start.holder);
  await Promise.all(
    Array.from({ length: CALLERS }, () => call(lock, start.data)),
  );
  self.postMessage(ROUNDS * CALLERS);
  self.close();
};
