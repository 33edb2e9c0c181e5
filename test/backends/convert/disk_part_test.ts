import { assertEquals, assertRejects } from "@std/assert";
import type { Backend } from "../../../src/backends/backend.ts";
import {
  firstDifference,
  isZero,
} from "../../../src/backends/convert/compare_bytes.ts";
import {
  dataRanges,
  type DiskPart,
  partsOf,
} from "../../../src/backends/convert/disk_part.ts";
import { runParts } from "../../../src/backends/convert/run_parts.ts";
import {
  createMemoryDisk,
  MemoryBackend,
} from "../../../src/backends/protocols/memory.ts";

/** An image that tells its extents by a list of their ends, data first. */
function striped(size: number, ...ends: number[]): Backend {
  const disk = new MemoryBackend(createMemoryDisk(size));
  disk.extent = (position) => {
    const at = ends.findIndex((end) => position < end);
    return at < 0
      ? { data: ends.length % 2 === 0, end: Infinity }
      : { data: at % 2 === 0, end: ends[at]! };
  };
  return disk;
}

async function collect<T>(from: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const each of from) all.push(each);
  return all;
}

Deno.test("dataRanges() rounds to units and joins what touches", async () => {
  const image = striped(10_000, 100, 5000, 5001, 8300, 8301);
  const ranges = await collect(
    dataRanges([image], { size: 10_000, unit: 4096, partSize: 4096 }),
  );
  assertEquals(ranges, [{ start: 0, end: 10_000 }]);
  const fine = await collect(
    dataRanges([image], { size: 10_000, unit: 512, partSize: 512 }),
  );
  assertEquals(fine, [
    { start: 0, end: 512 },
    { start: 4608, end: 5120 },
    { start: 8192, end: 8704 },
  ]);
});

Deno.test("dataRanges() has what any of the images has", async () => {
  const [one, other] = [striped(8192, 1024), striped(4096, 0, 2048)];
  const ranges = await collect(
    dataRanges([one, other], { size: 8192, unit: 1024, partSize: 1024 }),
  );
  assertEquals(ranges, [{ start: 0, end: 1024 }, { start: 2048, end: 4096 }]);
});

Deno.test("partsOf() divides and collects ranges", async () => {
  async function* ranges() {
    yield { start: 0, end: 1000 };
    yield { start: 2000, end: 5000 };
    await Promise.resolve();
  }
  const parts = await collect(
    partsOf(ranges(), { size: 5000, unit: 1, partSize: 1500 }),
  );
  assertEquals(parts, [
    [{ start: 0, end: 1000 }, { start: 2000, end: 2500 }],
    [{ start: 2500, end: 4000 }],
    [{ start: 4000, end: 5000 }],
  ]);
});

async function* eightParts(): AsyncGenerator<DiskPart, void> {
  for (let i = 0; i < 8; i++) {
    await Promise.resolve();
    yield [{ start: i, end: i + 1 }];
  }
}

Deno.test("runParts() settles only what all parts before it have reached", async () => {
  const waiting: (() => void)[] = [];
  const thread = {
    depth: 2,
    copy: (part: DiskPart) =>
      new Promise<number>((resolve) => {
        waiting.push(() => resolve(part[0]!.start));
        // The last of two comes back first.
        if (waiting.length === 2) {
          for (const go of waiting.splice(0).reverse()) {
            go();
          }
        }
      }),
    end() {},
  };
  const seen = new Set<number>();
  await runParts(eightParts(), [thread], {
    signal: new AbortController().signal,
    copied(_part, result, settled) {
      seen.add(result);
      for (let i = 0; i < settled; i++) assertEquals(seen.has(i), true);
      return Promise.resolve();
    },
  });
  assertEquals(seen.size, 8);
});

Deno.test("runParts() ends with the first error, and when it is stopped", async () => {
  const stop = new AbortController();
  const failing = {
    depth: 2,
    copy: () => Promise.reject(new Error("no medium")),
    end() {},
  };
  const run = { signal: stop.signal, copied: () => Promise.resolve() };
  await assertRejects(
    () => runParts(eightParts(), [failing], run),
    Error,
    "no medium",
  );
  const stopping = {
    depth: 2,
    copy() {
      stop.abort(new Error("stopped"));
      return Promise.resolve(null);
    },
    end() {},
  };
  await assertRejects(
    () => runParts(eightParts(), [stopping], run),
    Error,
    "stopped",
  );
});

Deno.test("isZero() and firstDifference() see every byte", () => {
  for (const length of [1, 3, 4, 63, 64, 65, 200, 4096]) {
    const bytes = new Uint8Array(4 + length);
    const other = bytes.slice();
    assertEquals(isZero(bytes, 4, length), true);
    assertEquals(firstDifference(bytes, other, 4, length), -1);
    for (let i = 0; i < length; i += 1 + (i >> 4)) {
      bytes[4 + i] = 0x80;
      assertEquals(isZero(bytes, 4, length), false);
      const at = firstDifference(bytes, other, 4, length);
      assertEquals(at <= i && i < at + 4, true);
      bytes[4 + i] = 0;
    }
  }
});
