import { assert, assertEquals } from "@std/assert";
import type { Extent, ImageStat } from "../../src/backends/backend.ts";
import { NullBackend } from "../../src/backends/protocols/null.ts";
import { decodeStruct } from "../../src/protocol/codec.ts";
import { ERRNO } from "../../src/base/errno.ts";
import { FALLOC_FL } from "../../src/base/file_flags.ts";
import { SIZE, testExport } from "./_fixtures.ts";

const { KEEP_SIZE, PUNCH_HOLE, ZERO_RANGE } = FALLOC_FL;
const CHUNK = 65536;
const FULL = new Uint8Array(SIZE).fill(9);

testExport("FALLOCATE reserves beyond the end and grows", async (make) => {
  const { client, backend } = make({ growable: true });
  assertEquals(await client.fallocate(0, 3 * CHUNK, CHUNK), 0);
  assertEquals((await client.getattr()).size, BigInt(4 * CHUNK));
  // The part before the range stays as sparse as it was.
  assertEquals((await backend.stat()).allocated, CHUNK);
  assertEquals(await client.fallocate(0, 4 * CHUNK, 1), 0);
  assertEquals((await client.getattr()).size, BigInt(4 * CHUNK + 1));
  assertEquals(await client.fallocate(0, CHUNK, 5 * CHUNK), 0);
  assertEquals((await client.getattr()).size, BigInt(6 * CHUNK));
  // Space beyond the end cannot be reserved without growing.
  const beyond = await client.fallocate(KEEP_SIZE, 6 * CHUNK, 1);
  assertEquals(beyond, ERRNO.EOPNOTSUPP);
});

testExport("FALLOCATE reserves inside an image of fixed size", async (make) => {
  const { client, backend } = make({ size: 4 * CHUNK });
  const allocated = async () => (await backend.stat()).allocated;
  await client.write(0, FULL);
  assertEquals(await client.fallocate(0, CHUNK, CHUNK), 0);
  assertEquals(await allocated(), 2 * CHUNK);
  // The part beyond the end is never needed.
  assertEquals(await client.fallocate(KEEP_SIZE, 3 * CHUNK, 2 ** 40), 0);
  assertEquals(await client.fallocate(KEEP_SIZE, 9 * CHUNK, 1), 0);
  assertEquals(await allocated(), 3 * CHUNK);
  assertEquals((await client.readAll()).subarray(0, SIZE), FULL);
});

testExport("FALLOCATE never changes a fixed size", async (make) => {
  for (const truncate of ["refuse", "zero"] as const) {
    const { client, backend } = make({ truncate });
    await client.write(0, FULL);
    for (const mode of [0, ZERO_RANGE]) {
      for (const offset of [SIZE - 1, SIZE, SIZE + 1]) {
        const errno = await client.fallocate(mode, offset, 2);
        assertEquals(errno, ERRNO.EPERM, `${mode} at ${offset}`);
      }
      assertEquals(await client.fallocate(mode, SIZE - 2, 2), 0);
    }
    assertEquals((await client.getattr()).size, BigInt(SIZE));
    assertEquals((await backend.stat()).size, SIZE);
    assertEquals((await client.readAll()).lastIndexOf(9), SIZE - 3);
  }
});

testExport("FALLOCATE punches holes inside the image", async (make) => {
  const { client } = make();
  const mode = PUNCH_HOLE | KEEP_SIZE;
  await client.write(0, FULL);
  assertEquals(await client.fallocate(mode, 100, 50), 0);
  assertEquals(await client.fallocate(mode, SIZE - 10, 2n ** 50n), 0);
  assertEquals(await client.fallocate(mode, SIZE + 10, 100), 0);
  const all = await client.readAll();
  assertEquals(all.length, SIZE);
  assertEquals([all[99], all[100], all[149], all[150]], [9, 0, 0, 9]);
  assertEquals([all[SIZE - 11], all[SIZE - 10], all.at(-1)], [9, 0, 0]);
});

testExport("FALLOCATE zeroes a range and keeps the size", async (make) => {
  const { client } = make();
  await client.write(0, FULL);
  const mode = ZERO_RANGE | KEEP_SIZE;
  assertEquals(await client.fallocate(mode, SIZE - 5, 100), 0);
  const all = await client.readAll();
  assertEquals([all.length, all[SIZE - 6], all[SIZE - 5]], [SIZE, 9, 0]);
});

testExport("FALLOCATE zeroes a range and grows over its end", async (make) => {
  const { client } = make({ growable: true });
  await client.write(0, FULL);
  assertEquals(await client.fallocate(ZERO_RANGE, 0, 5), 0);
  assertEquals((await client.getattr()).size, BigInt(SIZE));
  assertEquals(await client.fallocate(ZERO_RANGE, SIZE - 5, 100), 0);
  const all = await client.readAll();
  assertEquals(all.length, SIZE + 95);
  assertEquals([all[4], all[5], all[SIZE - 6], all[SIZE - 5]], [0, 9, 9, 0]);
});

testExport("FALLOCATE refuses every other mode and no length", async (make) => {
  const { client } = make();
  assertEquals(await client.fallocate(PUNCH_HOLE, 0, 1), ERRNO.EINVAL);
  for (
    const mode of [
      PUNCH_HOLE | ZERO_RANGE | KEEP_SIZE,
      FALLOC_FL.COLLAPSE_RANGE,
      FALLOC_FL.INSERT_RANGE,
      FALLOC_FL.UNSHARE_RANGE,
      2 ** 31,
    ]
  ) {
    assertEquals(await client.fallocate(mode, 0, 1), ERRNO.EOPNOTSUPP);
  }
  assertEquals(await client.fallocate(0, SIZE, 0), ERRNO.EINVAL);
});

testExport(
  "FALLOCATE refuses a read-only image and huge sizes",
  async (make) => {
    const shut = make({ writable: false }).client;
    assertEquals(await shut.fallocate(0, SIZE, 1), ERRNO.EACCES);
    const { client } = make();
    const huge = [[2 ** 53 - 1, 1], [1, 2 ** 53 - 1], [2n ** 63n, 2n ** 63n]];
    for (const [offset, length] of huge) {
      for (const mode of [0, PUNCH_HOLE | KEEP_SIZE, ZERO_RANGE]) {
        const errno = await client.fallocate(mode, offset!, length!);
        assertEquals(errno, ERRNO.EFBIG);
      }
    }
  },
);

testExport("FALLOCATE keeps the size if there is no space", async (make) => {
  class Full extends NullBackend {
    override allocate(): number {
      return -ERRNO.ENOSPC;
    }

    override zero(): number {
      throw Object.assign(new Error("Broken"), { errno: ERRNO.EIO });
    }
  }
  const backend = new Full(SIZE);
  const { client } = make({ backend, growable: true });
  assertEquals(await client.fallocate(0, SIZE, 1), ERRNO.ENOSPC);
  assertEquals(await client.fallocate(ZERO_RANGE, SIZE, 1), ERRNO.EIO);
  assertEquals((await client.getattr()).size, BigInt(SIZE));
  assertEquals(backend.stat().size, SIZE);
  assertEquals(await client.truncate(SIZE + 1), 0, "the lock was released");
});

testExport("LSEEK finds data and holes", async (make) => {
  const { client } = make({ size: 5 * CHUNK + 100 });
  await client.write(CHUNK + 5, Uint8Array.of(1));
  await client.write(3 * CHUNK, Uint8Array.of(1));
  assertEquals(await client.lseek(0, "DATA"), CHUNK);
  assertEquals(await client.lseek(CHUNK + 77, "DATA"), CHUNK + 77);
  assertEquals(await client.lseek(2 * CHUNK, "DATA"), 3 * CHUNK);
  assertEquals(await client.lseek(4 * CHUNK, "DATA"), -ERRNO.ENXIO);
  assertEquals(await client.lseek(7, "HOLE"), 7);
  assertEquals(await client.lseek(CHUNK, "HOLE"), 2 * CHUNK);
  assertEquals(await client.lseek(3 * CHUNK, "HOLE"), 4 * CHUNK);
});

testExport("LSEEK treats an unaligned end as a hole", async (make) => {
  const { client } = make({ size: 2 * CHUNK + 100 });
  const end = 2 * CHUNK + 100;
  await client.write(end - 1, Uint8Array.of(1));
  assertEquals(await client.lseek(end - 1, "DATA"), end - 1);
  assertEquals(await client.lseek(end - 1, "HOLE"), end);
  for (const offset of [end, end + 1, 2 ** 53, 2n ** 64n - 1n]) {
    assertEquals(await client.lseek(offset, "HOLE"), -ERRNO.ENXIO);
    assertEquals(await client.lseek(offset, "DATA"), -ERRNO.ENXIO);
  }
});

testExport("LSEEK leaves other whences to the kernel", async (make) => {
  const { client } = make();
  for (const whence of ["SET", "CUR", "END"] as const) {
    assertEquals(await client.lseek(0, whence), -ERRNO.EINVAL);
  }
});

testExport(
  "LSEEK gives EIO if a backend returns extents that do not advance",
  async (make) => {
    class Stuck extends NullBackend {
      override extent(position: number): Extent {
        return { data: false, end: position };
      }
    }
    const { client } = make({ backend: new Stuck(SIZE) });
    assertEquals(await client.lseek(0, "DATA"), -ERRNO.EIO);
  },
);

testExport(
  "STATFS returns the size of the image and its space",
  async (make) => {
    class Space extends NullBackend {
      override stat(): ImageStat {
        return { ...super.stat(), allocated: 8192 };
      }
    }
    const { client } = make({ backend: new Space(SIZE) });
    const { errno, body } = await client.send("STATFS");
    assertEquals(errno, 0);
    const { st } = decodeStruct("fuse_statfs_out", body!);
    assertEquals([st.bsize, st.frsize, st.namelen], [4096, 4096, 255]);
    assertEquals([st.blocks, st.bfree, st.bavail], [3n, 1n, 1n]);
    // No share of inodes in use, of which df -i could warn.
    assertEquals([st.files, st.ffree], [0n, 0n]);
  },
);

testExport("STATFS follows the size and never overflows", async (make) => {
  class Full extends NullBackend {
    override stat(): ImageStat {
      return { ...super.stat(), allocated: null };
    }
  }
  const { client } = make({ backend: new Full(SIZE), growable: true });
  assertEquals(await client.truncate(2 ** 53 - 1), 0);
  const { body } = await client.send("STATFS");
  const { st } = decodeStruct("fuse_statfs_out", body!);
  assertEquals([st.blocks, st.bfree], [2n ** 41n, 0n]);
  assert(st.spare.every((word) => word === 0));
});
