import { assert, assertEquals } from "@std/assert";
import {
  createMemoryDisk,
  MemoryBackend,
} from "../../src/backends/protocols/memory.ts";
import { NullBackend } from "../../src/backends/protocols/null.ts";
import { PatternBackend } from "../../src/backends/protocols/pattern.ts";
import { ERRNO } from "../../src/base/errno.ts";
import { byteOfPattern } from "../backends/_image.ts";
import { exported, SIZE, testExport } from "./_fixtures.ts";

const BYTES = Uint8Array.from({ length: 100 }, (_, i) => i + 1);

testExport("READ returns the bytes at its offset", async (make) => {
  const size = 2 ** 40;
  const { client } = make({ size, backend: new PatternBackend(size) });
  for (const offset of [0, 4093, 2 ** 32 - 5, size - 10]) {
    const { errno, body } = await client.read(offset, 10);
    assertEquals(errno, 0);
    assertEquals(
      [...body!],
      Array.from({ length: 10 }, (_, i) => byteOfPattern(offset + i)),
    );
  }
});

testExport("READ stops at the end of the image", async (make) => {
  const { client } = make();
  assertEquals((await client.read(SIZE - 10, 100)).body?.length, 10);
  for (const offset of [SIZE, SIZE + 1, 2 ** 53, 2n ** 63n, 2n ** 64n - 1n]) {
    const { errno, body } = await client.read(offset, 100);
    assertEquals([errno, body?.length], [0, 0], `${offset}`);
  }
  assertEquals((await client.read(0, 0)).body?.length, 0);
});

testExport("READ larger than a reply gives EINVAL", async (make) => {
  const { client } = make({ size: 2 ** 30, backend: new NullBackend(2 ** 30) });
  assertEquals((await client.read(0, 65536)).body?.length, 65536);
  assertEquals((await client.read(0, 65537)).errno, ERRNO.EINVAL);
  assertEquals((await client.read(0, 2 ** 32 - 1)).errno, ERRNO.EINVAL);
});

testExport("WRITE writes its bytes and returns how many", async (make) => {
  const { client } = make();
  assertEquals(await client.write(5000, BYTES), 100);
  const all = await client.readAll();
  assertEquals([...all.subarray(5000, 5100)], [...BYTES]);
  assertEquals(all.indexOf(1), 5000);
  assertEquals(all.lastIndexOf(100), 5099);
});

testExport("WRITE to a read-only image gives EACCES", async (make) => {
  const { client } = make({ writable: false });
  assertEquals(await client.write(0, BYTES), -ERRNO.EACCES);
});

testExport(
  "WRITE to an image of fixed size writes the bytes that fit",
  async (make) => {
    const { client } = make();
    assertEquals(await client.write(SIZE - 30, BYTES), 30);
    for (const offset of [SIZE, SIZE + 1, 2 ** 53, 2n ** 64n - 1n]) {
      const put = await client.write(offset, BYTES);
      assertEquals(put, -ERRNO.ENOSPC, `${offset}`);
      assertEquals(await client.write(offset, new Uint8Array()), 0);
    }
    assertEquals((await client.getattr()).size, BigInt(SIZE));
    assertEquals((await client.readAll()).at(-1), 30);
  },
);

testExport("WRITE beyond the end makes an image grow", async (make) => {
  const { client } = make({ growable: true });
  assertEquals(await client.write(SIZE - 30, BYTES), 100);
  assertEquals((await client.getattr()).size, BigInt(SIZE + 70));
  assertEquals(await client.write(SIZE + 1000, BYTES), 100);
  const all = await client.readAll();
  assertEquals(all.length, SIZE + 1100);
  assertEquals(all[SIZE + 69], 100);
  assert(all.subarray(SIZE + 70, SIZE + 1000).every((byte) => byte === 0));
  assertEquals(all[SIZE + 1000], 1);
});

testExport("WRITE of nothing changes nothing", async (make) => {
  const { client } = make({ growable: true });
  assertEquals(await client.write(SIZE + 10, new Uint8Array()), 0);
  assertEquals((await client.getattr()).size, BigInt(SIZE));
});

testExport("WRITE beyond any size gives EFBIG when growable", async (make) => {
  const { client } = make({ growable: true });
  for (const offset of [2 ** 53 - 100, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n]) {
    assertEquals(await client.write(offset, BYTES), -ERRNO.EFBIG, `${offset}`);
  }
  assertEquals((await client.getattr()).size, BigInt(SIZE));
});

testExport("WRITE returns the short count of a full medium", async (make) => {
  class Full extends NullBackend {
    override write(position: number): number {
      return position < 50 ? 50 - position : -ERRNO.ENOSPC;
    }
  }
  const { client } = make({ backend: new Full(SIZE) });
  assertEquals(await client.write(10, BYTES), 40);
  assertEquals(await client.write(50, BYTES), -ERRNO.ENOSPC);
});

testExport(
  "WRITE of which a backend takes nothing gives ENOSPC",
  async (make) => {
    class Full extends NullBackend {
      override write(): number {
        return 0;
      }
    }
    const { client } = make({ growable: true, backend: new Full(SIZE) });
    assertEquals(await client.write(10, BYTES), -ERRNO.ENOSPC);
    assertEquals(await client.write(SIZE, BYTES), -ERRNO.ENOSPC);
    assertEquals(await client.write(10, new Uint8Array()), 0);
  },
);

testExport(
  "WRITE leaves no growth for bytes that were not written",
  async (make) => {
    for (const [result, size] of [[40, SIZE + 45], [-5, SIZE]]) {
      class Partial extends MemoryBackend {
        override write(): number {
          return result!;
        }
      }
      const disk = createMemoryDisk(SIZE, { growable: true });
      const backend = new Partial(disk, "partial");
      const { client, state } = make({ growable: true, backend });
      assertEquals(await client.write(SIZE + 5, BYTES), result);
      assertEquals([state.size, backend.stat().size], [size!, size!]);
    }
  },
);

testExport("WRITE keeps the size when the image cannot grow", async (make) => {
  class Stiff extends NullBackend {
    override truncate(): number {
      return -ERRNO.ENOSPC;
    }
  }
  const { client } = make({ growable: true, backend: new Stiff(SIZE) });
  assertEquals(await client.write(SIZE, BYTES), -ERRNO.ENOSPC);
  assertEquals((await client.getattr()).size, BigInt(SIZE));
});

Deno.test("READ and WRITE are answered at once if the backend does so", async () => {
  const { client } = exported({ growable: true });
  for (const offset of [0, SIZE - 10, SIZE]) {
    assert((await client.read(offset, 100)).atOnce, `read at ${offset}`);
  }
  for (const offset of [0, SIZE - BYTES.length]) {
    const fields = { offset: BigInt(offset), size: BYTES.length };
    const { atOnce } = await client.send<"fuse_write_in">(
      "WRITE",
      fields,
      BYTES,
    );
    assert(atOnce, `write at ${offset}`);
  }
  assert((await client.send("GETATTR")).atOnce);
  const fh = await client.open();
  assert((await client.send<"fuse_flush_in">("FLUSH", { fh })).atOnce);
});
