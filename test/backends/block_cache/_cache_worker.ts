/// <reference lib="deno.worker" />
import {
  BLOCK,
  BlockCache,
} from "../../../src/backends/block_cache/block_cache.ts";
import { Random } from "../../_random.ts";

/** What a thread does. */
export interface CacheWork {
  readonly memory: SharedArrayBuffer;
  readonly owner: number;
  readonly rounds: number;
  readonly blocks: number;
}

self.onmessage = ({ data }: MessageEvent<CacheWork>) => {
  const { memory, owner, rounds, blocks } = data;
  const cache = new BlockCache(memory, owner);
  const random = new Random(owner);
  const into = new Uint8Array(BLOCK);
  let [hits, wrong] = [0, 0];
  for (let round = 0; round < rounds; round++) {
    const block = random.below(blocks);
    if (cache.copy(block, 0, BLOCK, into, 0)) {
      hits++;
      const byte = 1 + block % 251;
      if (into.some((each) => each !== byte)) wrong++;
      continue;
    }
    const slot = cache.claim(block);
    if (slot < 0) continue;
    if (random.oneIn(5)) {
      cache.abandon(slot);
      continue;
    }
    cache.memoryOf(slot).fill(1 + block % 251);
    cache.publish(slot);
  }
  self.postMessage({ hits, wrong });
};
