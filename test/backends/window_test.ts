import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Backend } from "../../src/backends/backend.ts";
import { FilterBackend } from "../../src/backends/filter_backend.ts";
import {
  type ImageWindow,
  WindowBackend,
} from "../../src/backends/filters/window.ts";
import { ImageBackend } from "../../src/backends/image_backend.ts";
import { FileBackend } from "../../src/backends/protocols/file/file_backend.ts";
import { PatternBackend } from "../../src/backends/protocols/pattern.ts";
import { ERRNO } from "../../src/base/errno.ts";
import { UserError } from "../../src/base/user_error.ts";
import { FALLOC_FL } from "../../src/base/file_flags.ts";
import { AsyncBackend } from "../export/_backends.ts";
import { Random } from "../_random.ts";
import { testBackend } from "./backend_suite.ts";
import { FakeBlockFile, type Faults } from "./_fake_block_file.ts";

const MIB = 1 << 20;
const PUNCH = FALLOC_FL.PUNCH_HOLE | FALLOC_FL.KEEP_SIZE;

function inFile(file: FakeBlockFile): FileBackend {
  return new FileBackend(file, "disk.img", true);
}

testBackend({
  name: "WindowBackend to the end of a file",
  open: (size) => {
    const file = inFile(new FakeBlockFile(size + 1000));
    return { backend: new WindowBackend(file, { offset: 1000, size: null }) };
  },
});

testBackend({
  name: "WindowBackend of an image that answers later",
  open: (size) => {
    const file = inFile(new FakeBlockFile(size + 1000));
    const below = new AsyncBackend(file, new Random(1));
    return { backend: new WindowBackend(below, { offset: 1000, size: null }) };
  },
});

testBackend({
  name: "WindowBackend in the middle of a file",
  resizes: "never",
  open: (size) => {
    const file = inFile(
      new FakeBlockFile(size + 2 * MIB, { random: new Random(2) }),
    );
    const edge = new Uint8Array(MIB).fill(0x55);
    file.write(0, edge, 0, MIB);
    file.write(MIB + size, edge, 0, MIB);
    return {
      backend: new WindowBackend(file, { offset: MIB, size }),
      end() {
        for (const at of [0, MIB + size]) {
          file.read(at, edge, 0, MIB);
          assert(edge.every((byte) => byte === 0x55), "a byte outside changed");
        }
      },
    };
  },
});

Deno.test("WindowBackend reads less if the image was truncated", async () => {
  const file = inFile(new FakeBlockFile(100, { random: new Random(3) }));
  const window = new WindowBackend(file, { offset: 10, size: 200 });
  assertEquals((await window.stat()).size, 200);
  assertEquals(window.read(0, new Uint8Array(200), 0, 200), 90);
  assertEquals(window.read(90, new Uint8Array(10), 0, 10), 0);
});

Deno.test("WindowBackend ends below 2^53 bytes", async () => {
  const file = inFile(new FakeBlockFile(100));
  const max = 2 ** 53 - 1;
  const growing = new WindowBackend(file, { offset: 10, size: null });
  for (const size of [max - 9, max]) {
    assertEquals(await growing.truncate(size), -ERRNO.EFBIG);
  }
  assertEquals((await file.stat()).size, 100);
  assertEquals(await growing.truncate(50), 0);
  assertEquals((await file.stat()).size, 60);
  const refused: ImageWindow[] = [
    { offset: 2, size: max - 1 },
    { offset: max, size: max },
    { offset: max + 1, size: null },
  ];
  for (const window of refused) {
    assertThrows(
      () => new WindowBackend(file, window),
      UserError,
      "that ends beyond 2^53 - 1 bytes",
    );
  }
});

Deno.test("WindowBackend passes whole sectors to the file", async () => {
  const faults: Faults = { fallocate: "sectors" };
  const file = new FakeBlockFile(MIB, faults);
  const window = new WindowBackend(inFile(file), { offset: 512, size: null });
  window.write(0, new Uint8Array(40960).fill(1), 0, 40960);
  assertEquals(await window.zero(1, 20480, { unmap: true }), 0);
  assertEquals(file.calls, [
    `fallocate ${PUNCH} 513 20480`,
    `fallocate ${PUNCH} 4096 16384`,
  ]);
  const bytes = new Uint8Array(40960);
  window.read(0, bytes, 0, 40960);
  assertEquals(bytes.indexOf(0), 1);
  assertEquals(bytes.indexOf(1, 1), 20481);
});

for (const isAsync of [false, true]) {
  const when = isAsync ? "later" : "at once";
  const spaceOf = async (image: Backend, offset: number, size: number) => {
    const below = isAsync ? new AsyncBackend(image, new Random(2)) : image;
    const { allocated } = await new WindowBackend(below, { offset, size })
      .stat();
    return allocated;
  };

  Deno.test(`WindowBackend counts the space of the part, ${when}`, async () => {
    const file = inFile(new FakeBlockFile(10 * MIB));
    file.write(0, new Uint8Array(MIB), 0, MIB);
    file.write(5 * MIB, new Uint8Array(8192), 0, 8192);
    assertEquals(file.stat().allocated, MIB + 8192);
    assertEquals(await spaceOf(file, 0, 10 * MIB), MIB + 8192);
    assertEquals(await spaceOf(file, 2 * MIB, MIB), 0);
    assertEquals(await spaceOf(file, MIB - 100, MIB), 100);
    assertEquals(await spaceOf(file, 4 * MIB, 2 * MIB), 8192);
  });

  Deno.test(`WindowBackend counts everything after many extents as data, ${when}`, async () => {
    const file = inFile(new FakeBlockFile(10 * MIB));
    for (let at = 0; at < 5 * MIB; at += 8192) {
      file.write(at, Uint8Array.of(1), 0, 1);
    }
    const allocated = await spaceOf(file, 0, 9 * MIB);
    assertEquals(allocated, 9 * MIB - 128 * 4096);
  });
}

Deno.test("WindowBackend reports no space if its image reports none", async () => {
  class SizeOnly extends ImageBackend {
    readonly size = 4096;
    read = () => 0;
  }
  const window = new WindowBackend(new SizeOnly(), { offset: 512, size: null });
  assertEquals(await window.stat(), {
    size: 3584,
    allocated: null,
    blockSize: 4096,
    times: null,
  });
});

Deno.test("WindowBackend shifts the positions of exclusive writes", () => {
  const image: Backend = Object.assign(new PatternBackend(MIB), {
    needsExclusiveWrite: (position: number, length: number) =>
      (position + length) % 512 !== 0,
  });
  const window = new WindowBackend(image, { offset: 100, size: null });
  assertEquals(window.needsExclusiveWrite?.(0, 412), false);
  assertEquals(window.needsExclusiveWrite?.(0, 512), true);
  const plain = new WindowBackend(new PatternBackend(MIB), {
    offset: 100,
    size: null,
  });
  assertEquals(plain.needsExclusiveWrite, undefined);
});

Deno.test("FilterBackend forwards every member", async () => {
  const calls: unknown[][] = [];
  const answers: Record<string, unknown> = {
    name: "below",
    shared: false,
    writable: true,
    background: true,
  };
  const image = new Proxy({} as Backend, {
    get: (_target, name) =>
      answers[name as string] ??
        ((...args: unknown[]) => calls.push([name, ...args])),
  });
  const filter = new FilterBackend(image);
  const { name, shared, writable, background } = filter;
  assertEquals({ name, shared, writable, background }, answers);
  const buffer = new Uint8Array(1);
  await filter.stat();
  await filter.read(1, buffer, 2, 3);
  await filter.write(4, buffer, 5, 6);
  filter.needsExclusiveWrite?.(7, 8);
  await filter.flush();
  await filter.truncate(9);
  await filter.zero(10, 11, { unmap: true });
  await filter.allocate(12, 13);
  await filter.extent(14);
  await filter.setTimes(15n, null);
  await filter.close();
  assertEquals(calls, [
    ["stat"],
    ["read", 1, buffer, 2, 3],
    ["write", 4, buffer, 5, 6],
    ["needsExclusiveWrite", 7, 8],
    ["flush"],
    ["truncate", 9],
    ["zero", 10, 11, { unmap: true }],
    ["allocate", 12, 13],
    ["extent", 14],
    ["setTimes", 15n, null],
  ]);
});
