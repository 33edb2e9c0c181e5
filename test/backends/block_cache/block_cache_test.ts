import { assert, assertEquals } from "@std/assert";
import {
  BLOCK,
  BlockCache,
  CLAIM,
} from "../../../src/backends/block_cache/block_cache.ts";
import type { CacheWork } from "./_cache_worker.ts";

function caches(bytes: number, blocks: number): [BlockCache, BlockCache] {
  const memory = BlockCache.create(bytes, blocks);
  return [new BlockCache(memory, 1), new BlockCache(memory, 2)];
}

function read(cache: BlockCache, block: number): number | null {
  const into = new Uint8Array(2);
  return cache.copy(block, 100, 1, into, 1) ? into[1]! : null;
}

function put(cache: BlockCache, block: number, byte: number): void {
  const slot = cache.claim(block);
  assert(slot >= 0, `${slot}`);
  cache.memoryOf(slot).fill(byte);
  cache.publish(slot);
}

Deno.test("a block is there for every thread once it is published", () => {
  const [one, other] = caches(1 << 20, 64);
  const slot = one.claim(7);
  one.memoryOf(slot).fill(9);
  assertEquals(read(other, 7), null);
  assertEquals(other.claim(7), CLAIM.UNDER_WAY);
  one.publish(slot);
  assertEquals([read(one, 7), read(other, 7)], [9, 9]);
  assertEquals(other.claim(7), CLAIM.THERE);
});

Deno.test("a fetch that fails leaves its block to others, and wakes them", async () => {
  const [one, other] = caches(1 << 20, 64);
  const slot = one.claim(7);
  const waiting = other.changed(other.changes);
  one.abandon(slot);
  await waiting;
  put(other, 7, 5);
  assertEquals(read(one, 7), 5);
});

Deno.test("a thread that ends gives up what it fetches", async () => {
  const [one, other] = caches(1 << 20, 64);
  one.claim(7);
  one.claim(8);
  const waiting = other.changed(other.changes);
  other.threadEnded(1);
  await waiting;
  put(other, 7, 5);
  put(other, 8, 6);
  assertEquals([read(one, 7), read(one, 8)], [5, 6]);
});

Deno.test("blocks that were not used make room, those under way do not", () => {
  const [cache] = caches(0, 1000);
  assertEquals(cache.slots, 8);
  for (let block = 0; block < 8; block++) put(cache, block, block);
  put(cache, 100, 100);
  assertEquals(read(cache, 100), 100);
  const there = [0, 1, 2, 3, 4, 5, 6, 7].filter((block) =>
    read(cache, block) === block
  );
  assertEquals(there.length, 7);
  const [all] = caches(0, 1000);
  for (let block = 0; block < 8; block++) assert(all.claim(block) >= 0);
  assertEquals(all.claim(9), CLAIM.NO_ROOM);
});

Deno.test("a cache takes no more than it is given, and than the blocks need", () => {
  const bytes = 4 << 20;
  assert(BlockCache.create(bytes, 1e9).byteLength < bytes + (1 << 16));
  assert(BlockCache.create(bytes, 10).byteLength < 16 * BLOCK + (1 << 16));
});

Deno.test("a change of the object is noted once", () => {
  const [one, other] = caches(0, 8);
  assertEquals(one.isChanged, false);
  assertEquals([one.noteChanged(), other.noteChanged()], [true, false]);
  assertEquals([one.isChanged, other.isChanged], [true, true]);
});

Deno.test({
  name: "no copy is torn while threads replace blocks",
  // A Worker loads its module from a file.
  ignore: (await Deno.permissions.query({ name: "read" })).state !== "granted",
  async fn() {
    const memory = BlockCache.create(0, 1000);
    const url = new URL("_cache_worker.ts", import.meta.url);
    const workers = [1, 2, 3].map((owner) => {
      const worker = new Worker(url, { type: "module" });
      const done = new Promise<{ hits: number; wrong: number }>(
        (resolve, reject) => {
          worker.onmessage = (event) => resolve(event.data);
          worker.onerror = (event) => reject(new Error(event.message));
        },
      );
      const work: CacheWork = { memory, owner, rounds: 6000, blocks: 12 };
      worker.postMessage(work);
      return { worker, done };
    });
    try {
      const results = await Promise.all(workers.map(({ done }) => done));
      for (const { hits, wrong } of results) {
        assertEquals(wrong, 0);
        assert(hits > 500, `${hits}`);
      }
    } finally {
      for (const { worker } of workers) worker.terminate();
    }
  },
});
