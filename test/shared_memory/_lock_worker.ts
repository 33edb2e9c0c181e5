/// <reference lib="deno.worker" />
import { SharedRwLock } from "../../src/shared_memory/rw_lock.ts";

const ROUNDS = 3000;
const SUM = 0;
const INTRUSIONS = 1;
const ALONE = 2;
const STARTED = 3;
/** Threads that start together. */
const WORKERS = 3;

interface Start {
  readonly words: Int32Array<SharedArrayBuffer>;
  readonly data: Int32Array<SharedArrayBuffer>;
  readonly seed: number;
  /** Which of the lock's holders it is. */
  readonly holder: number;
}

/** Adds to a number by no atomic operation, with the lock held exclusively. */
function addSlowly(data: Int32Array, turns: number): void {
  const before = data[SUM]!;
  data[ALONE] = 1;
  for (let i = turns; i > 0; i--) data[SUM] = before + i + 1;
  data[SUM] = before + 1;
  data[ALONE] = 0;
}

function startTogether(data: Int32Array<SharedArrayBuffer>): void {
  let started = Atomics.add(data, STARTED, 1) + 1;
  Atomics.notify(data, STARTED);
  while (started < WORKERS) {
    Atomics.wait(data, STARTED, started);
    started = Atomics.load(data, STARTED);
  }
}

async function work({ words, data, seed, holder }: Start): Promise<number> {
  startTogether(data);
  const lock = new SharedRwLock(words, { holder });
  let random = seed;
  let added = 0;
  for (let round = 0; round < ROUNDS; round++) {
    random = Math.imul(random, 1664525) + 1013904223;
    if (random >>> 30 === 0) {
      await lock.lock();
      addSlowly(data, random >>> 24);
      added++;
      lock.unlock();
    } else {
      if (!lock.tryShare()) await lock.share();
      if (data[ALONE] !== 0) Atomics.add(data, INTRUSIONS, 1);
      lock.unshare();
    }
  }
  return added;
}

self.onmessage = async ({ data }: MessageEvent<Start>) => {
  self.postMessage(await work(data));
  self.close();
};
