import { assert, assertEquals, assertThrows } from "@std/assert";
import { SliceCache } from "../../../src/backends/mapped/slice_cache.ts";
import { randomly } from "../../_random.ts";
import { explore } from "../qcow2/_interleavings.ts";

const WORDS = 4;

function cacheOf(slices: number, bytes = 2 ** 20) {
  const memory = SliceCache.create(bytes, slices, WORDS);
  return { memory, cache: new SliceCache(memory, WORDS, 1) };
}

/** The words of a slice, all of which tell which slice it is. */
function wordsOf(slice: number, version = 0): Int32Array {
  return new Int32Array(WORDS).fill(1000 * version + slice);
}

/** The words that a look-up finds; `null` if the slice is not cached. */
function lookUp(cache: SliceCache, slice: number): number[] | null {
  const slot = cache.find(slice);
  if (slot < 0) return null;
  const start = slot * WORDS;
  const words = [0, 1, 2, 3].map((i) => Atomics.load(cache.data, start + i));
  return cache.isUnchanged(slot) ? words : null;
}

function add(cache: SliceCache, slice: number): void {
  cache.add(slice, wordsOf(slice), cache.changes(slice));
}

Deno.test("a cache that has room for every slice keeps every slice", () => {
  for (const slices of [1, 7, 8, 9, 100]) {
    const { cache } = cacheOf(slices);
    for (let slice = 0; slice < slices; slice++) add(cache, slice);
    for (let slice = 0; slice < slices; slice++) {
      assertEquals(lookUp(cache, slice), [...wordsOf(slice)]);
    }
    assertEquals(lookUp(cache, slices), null);
  }
});

Deno.test("a cache takes no more memory than allowed, and at least one set", () => {
  for (const bytes of [0, 1, 5000, 100_000]) {
    const { memory, cache } = cacheOf(1e6, bytes);
    assert(memory.byteLength <= Math.max(bytes, 512) + 64, `${bytes}`);
    assert(cache.slots >= 8);
  }
  // No more than there are slices, whatever is allowed.
  assertEquals(cacheOf(8, 2 ** 30).cache.slots, 8);
});

Deno.test("a cache replaces what was not used", () => {
  const { cache } = cacheOf(1e6, 0);
  for (let slice = 0; slice < 8; slice++) add(cache, slice);
  // Once round: the hand finds all used, and replaces the first.
  add(cache, 8);
  assertEquals(lookUp(cache, 0), null);
  lookUp(cache, 1);
  add(cache, 9);
  assertEquals(lookUp(cache, 1), [...wordsOf(1)]);
  assertEquals(lookUp(cache, 2), null);
});

Deno.test("a look-up finds the slice or nothing, whatever was cached", () =>
  randomly(5, (random) => {
    const { cache } = cacheOf(1e6, random.below(20_000));
    for (let i = 0; i < 500; i++) {
      const slice = random.below(200);
      if (random.oneIn(2)) add(cache, slice);
      const found = lookUp(cache, slice);
      if (found !== null) assertEquals(found, [...wordsOf(slice)]);
    }
  }));

Deno.test("the largest slice of the largest disk is found", () => {
  const { cache } = cacheOf(2 ** 31, 0);
  for (const slice of [2 ** 31 - 1, 2 ** 31, 2 ** 31 - 2]) {
    add(cache, slice);
    assertEquals(lookUp(cache, slice)?.[0], slice | 0);
  }
});

Deno.test("a slice that was read before a change is not cached", () => {
  const { cache } = cacheOf(1e6, 0);
  const stale = cache.changes(3) - 1;
  cache.add(3, wordsOf(3), stale);
  assertEquals(lookUp(cache, 3), null);
});

Deno.test("no order of a reader's loads and a writer's stores tears a slice", () => {
  const { memory, cache } = cacheOf(1e6, 0);
  const writer = new SliceCache(memory, WORDS, 1);
  for (let slice = 0; slice < 8; slice++) add(cache, slice);
  // Slice 8 replaces slice 0; the reader looks for one of them.
  for (const wanted of [0, 8]) {
    const orders = explore({
      memory,
      write: () => add(writer, 8),
      read() {
        const found = lookUp(cache, wanted);
        if (found !== null) assertEquals(found, [...wordsOf(wanted)]);
      },
    });
    assert(orders > 500, `${orders}`);
    const { memory: fresh } = cacheOf(1e6, 0);
    new Uint8Array(memory).set(new Uint8Array(fresh));
    for (let slice = 0; slice < 8; slice++) add(cache, slice);
  }
});

Deno.test("a copy of a slice is one state of it, in every order", () => {
  const { memory, cache } = cacheOf(1e6, 0);
  const writer = new SliceCache(memory, WORDS, 1);
  for (let slice = 0; slice < 8; slice++) add(cache, slice);
  const words = new Int32Array(WORDS);
  const orders = explore({
    memory,
    write: () => add(writer, 8),
    read() {
      if (cache.copy(0, words)) assertEquals(words, wordsOf(0));
    },
  });
  assert(orders > 500, `${orders}`);
});

Deno.test("the orders find a reader that does not check the version", () => {
  const { memory, cache } = cacheOf(1e6, 0);
  const writer = new SliceCache(memory, WORDS, 1);
  for (let slice = 0; slice < 8; slice++) add(cache, slice);
  assertThrows(() =>
    explore({
      memory,
      write: () => add(writer, 8),
      read() {
        const slot = cache.find(0);
        if (slot < 0) return;
        for (let i = 0; i < WORDS; i++) {
          assertEquals(Atomics.load(cache.data, slot * WORDS + i), 0);
        }
      },
    })
  );
});
