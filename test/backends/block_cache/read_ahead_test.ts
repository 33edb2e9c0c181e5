import { assert, assertEquals } from "@std/assert";
import { ReadAhead } from "../../../src/backends/block_cache/read_ahead.ts";

function readers(most = 512): [ReadAhead, ReadAhead] {
  const memory = ReadAhead.create();
  return [new ReadAhead(memory, 1, most), new ReadAhead(memory, 2, most)];
}

Deno.test("the window grows while a program reads on, up to its bound", () => {
  const [one] = readers(256);
  const sizes: number[] = [];
  let ahead = 0;
  for (let block = 0; block < 2000; block++) {
    const next = one.read(block, block);
    if (next === null) continue;
    // Each range follows the one before.
    assert(ahead === 0 || next.from === ahead, `${next.from} after ${ahead}`);
    ahead = next.to;
    sizes.push(next.to - block - 1);
    assert(next.to - block <= 257);
  }
  assertEquals(sizes.slice(0, 4), [8, 16, 32, 64]);
  assertEquals(sizes.at(-1), 256);
  assert(sizes.length < 40, `${sizes.length} ranges`);
});

Deno.test("threads that serve one program follow it together", () => {
  const threads = readers();
  let last = 0;
  // Two reads of 64 blocks each in the wrong order, again and again.
  for (let i = 0; i < 40; i++) {
    const first = 64 * (i ^ 1);
    const next = threads[i % 2]!.read(first, first + 63);
    if (next !== null) last = next.to;
  }
  assert(last >= 40 * 64 + 256, `${last}`);
});

Deno.test("several programs are followed at once", () => {
  const [one] = readers();
  const ranges = [0, 0, 0];
  for (let i = 0; i < 100; i++) {
    for (let program = 0; program < 3; program++) {
      const block = program * 100_000 + i;
      if (one.read(block, block) !== null) ranges[program]!++;
    }
  }
  for (const count of ranges) assert(count >= 3, `${ranges}`);
});

Deno.test("reads here and there cause nothing", () => {
  const [one] = readers();
  for (let i = 0; i < 1000; i++) {
    const block = (i * 7919) % 100_003;
    assertEquals(one.read(block, block + 2), null);
  }
});

Deno.test("nothing is read ahead where there is no room for it", () => {
  const [one] = readers(4);
  for (let block = 0; block < 100; block++) {
    assertEquals(one.read(block, block), null);
  }
});
