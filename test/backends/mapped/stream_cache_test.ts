import { assertEquals } from "@std/assert";
import { StreamCache } from "../../../src/backends/mapped/stream_cache.ts";
import { randomly } from "../../_random.ts";

const SIZE = 64;

function cacheOf(bytes: number, blocks = 1000) {
  const memory = StreamCache.create(bytes, blocks, SIZE);
  return memory === null ? null : new StreamCache(memory, SIZE);
}

/** A byte that tells which block it is of. */
const byteOf = (file: number, host: number) => 1 + (file * 31 + host) % 251;

Deno.test("what is kept of blocks is never another block's", () =>
  randomly(5, (random) => {
    const cache = cacheOf(4000)!;
    const places = [0, 1, 512, 2 ** 31, 2 ** 32, 2 ** 32 + 1, 2 ** 52];
    let found = 0;
    for (let i = 0; i < 2000; i++) {
      const file = random.below(3);
      const host = random.pick(places) + random.below(4);
      const length = 1 + host % SIZE;
      const buffer = new Uint8Array(SIZE + 2);
      if (random.oneIn(3)) {
        cache.add(file, host, new Uint8Array(length).fill(byteOf(file, host)));
        continue;
      }
      const from = random.below(length);
      const part = 1 + random.below(length - from);
      if (!cache.copy(file, host, from, part, buffer, 1)) continue;
      found++;
      const wanted = new Uint8Array(SIZE + 2);
      wanted.fill(byteOf(file, host), 1, 1 + part);
      assertEquals(buffer, wanted);
    }
    assertEquals(found > 50, true, `${found}`);
  }));

Deno.test("a block that is kept is found, and no byte beyond it", () => {
  const cache = cacheOf(1 << 20)!;
  const buffer = new Uint8Array(SIZE);
  for (let host = 0; host < 8; host++) {
    cache.add(0, host, new Uint8Array(10).fill(host));
  }
  for (let host = 0; host < 8; host++) {
    assertEquals(cache.copy(0, host, 0, 10, buffer, 0), true);
    assertEquals(buffer[9], host);
    assertEquals(cache.copy(0, host, 0, 11, buffer, 0), false);
    assertEquals(cache.copy(1, host, 0, 10, buffer, 0), false);
  }
});

Deno.test("a cache that has no room is none, and takes no more than there is", () => {
  assertEquals(cacheOf(100), null);
  const bytes = StreamCache.create(1 << 30, 16, SIZE)!.byteLength;
  assertEquals(bytes < 4096, true, `${bytes}`);
});
