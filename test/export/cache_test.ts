/** What the export asks the kernel to cache of its file. */
import { assertEquals } from "@std/assert";
import {
  createMemoryDisk,
  MemoryBackend,
} from "../../src/backends/protocols/memory.ts";
import { ERRNO } from "../../src/base/errno.ts";
import { O, O_DIRECT } from "../../src/base/file_flags.ts";
import { exportCapabilities } from "../../src/export/block_export.ts";
import {
  CACHE_MODES,
  type CacheMode,
} from "../../src/export/export_context.ts";
import { decodeStruct } from "../../src/protocol/codec.ts";
import { FATTR, FOPEN, FUSE_WRITE } from "../../src/protocol/flags.ts";
import type { Client } from "./_client.ts";
import { SIZE, testExport } from "./_fixtures.ts";

const DIRECT = FOPEN.DIRECT_IO | FOPEN.PARALLEL_DIRECT_WRITES;
/** O_DIRECT on x86_64, and on Arm. */
const EACH_DIRECT = [0o40000, 0o200000];

async function openFlags(client: Client, flags: number): Promise<number> {
  const { body } = await client.send<"fuse_open_in">("OPEN", { flags });
  return decodeStruct("fuse_open_out", body!).open_flags & ~FOPEN.NOFLUSH;
}

const EXPECTED: Readonly<Record<CacheMode, number>> = {
  none: DIRECT,
  reads: FOPEN.KEEP_CACHE,
  writeback: FOPEN.KEEP_CACHE,
};

testExport("OPEN says whether the kernel caches a handle", async (make) => {
  for (const cache of CACHE_MODES) {
    const { client } = make({ cache });
    for (const access of [O.RDONLY, O.WRONLY, O.RDWR, O.RDWR | O.DSYNC]) {
      assertEquals(await openFlags(client, access), EXPECTED[cache]);
      for (const direct of EACH_DIRECT) {
        const found = await openFlags(client, access | direct);
        const kept = cache === "none" ? 0 : FOPEN.KEEP_CACHE;
        assertEquals(found, DIRECT | kept);
      }
    }
  }
  assertEquals(await openFlags(make().client, O.RDWR), DIRECT);
});

testExport("passthrough comes before any cache", async (make) => {
  const { client } = make({ cache: "reads", backingId: 1, growable: true });
  assertEquals(await openFlags(client, O.RDONLY), FOPEN.PASSTHROUGH);
});

testExport("a write-back cache gets no answer about holes", async (make) => {
  for (const cache of CACHE_MODES) {
    const { client } = make({ cache });
    assertEquals(await client.write(0, new Uint8Array(4096).fill(1)), 4096);
    const found = await client.lseek(0, "DATA");
    assertEquals(found, cache === "writeback" ? -ERRNO.ENOSYS : 0);
  }
});

testExport("READ needs no handle for reading", async (make) => {
  // The kernel reads the rest of a page that is written in part.
  const { client } = make({ cache: "writeback" });
  const fh = await client.open(O.WRONLY);
  const read = await client.send<"fuse_read_in">("READ", { fh, size: 4096 });
  assertEquals([read.errno, read.body?.length], [0, 4096]);
});

/** A disk that writes a part of each request, and fails from a position on. */
class PartialDisk extends MemoryBackend {
  constructor(readonly failsFrom: number) {
    super(createMemoryDisk(SIZE));
  }

  override write(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): number {
    if (position >= this.failsFrom) return -ERRNO.EIO;
    const some = Math.min(length, 100, this.failsFrom - position);
    return super.write(position, buffer, start, some);
  }
}

testExport("a write-back is whole, or fails", async (make) => {
  // The kernel ignores the count of bytes in the reply.
  const bytes = Uint8Array.from({ length: 4096 }, (_, i) => i);
  const { CACHE } = FUSE_WRITE;
  const { client } = make({ backend: new PartialDisk(6000) });
  assertEquals(await client.write(0, bytes), 100);
  assertEquals(await client.write(0, bytes, { "write_flags": CACHE }), 4096);
  const { body } = await client.read(0, 4096);
  assertEquals(body, bytes);
  const failed = await client.write(4096, bytes, { "write_flags": CACHE });
  assertEquals(failed, -ERRNO.EIO);
  const { client: fixed } = make();
  assertEquals(await fixed.write(SIZE - 4000, bytes), 4000);
  const beyond = { "write_flags": CACHE };
  assertEquals(await fixed.write(SIZE - 4000, bytes, beyond), -ERRNO.ENOSPC);
  assertEquals(await fixed.write(SIZE - 4096, bytes, beyond), 4096);
});

testExport("the kernel may set the time of the last write", async (make) => {
  const { client } = make({ cache: "writeback" });
  const { MTIME, CTIME, FH, ATIME } = FATTR;
  const times = { atime: 5n, mtime: 7n, mtimensec: 9, ctime: 8n };
  const fh = await client.open(O.WRONLY);
  assertEquals(
    await client.setattr({ ...times, fh, valid: MTIME | CTIME | FH }),
    0,
  );
  assertEquals(
    await client.setattr({ ...times, valid: ATIME | MTIME | CTIME }),
    0,
  );
  const { atime, mtime, mtimensec } = await client.getattr();
  assertEquals([atime, mtime, mtimensec], [5n, 7n, 9]);
});

Deno.test("exportCapabilities() asks for the cache that the export has", () => {
  const cacheFlags = (cache: CacheMode) =>
    exportCapabilities({ growable: false, truncate: "refuse", cache }).flags
      .filter((flag) => /^(AUTO_INVAL_DATA|WRITEBACK_CACHE)$/.test(flag));
  assertEquals(cacheFlags("none"), []);
  assertEquals(cacheFlags("reads"), ["AUTO_INVAL_DATA"]);
  assertEquals(cacheFlags("writeback"), ["WRITEBACK_CACHE"]);
});

Deno.test("O_DIRECT has the bits of each architecture and no other", () => {
  const bits = EACH_DIRECT.reduce((sum, bit) => sum | bit, 0);
  assertEquals(O_DIRECT, bits);
});
