import { assertEquals } from "@std/assert";
import { ERRNO } from "../../src/base/errno.ts";
import { ImageBackend } from "../../src/backends/image_backend.ts";

class ReadOnly extends ImageBackend {
  readonly size = 10;
  read = () => 0;
}

class Writable extends ReadOnly {
  override readonly writable = true;
  override write = () => 1;
}

async function refusalsOf(disk: ImageBackend): Promise<unknown[]> {
  return [
    await disk.truncate(0),
    await disk.zero(0, 1, { unmap: true }),
    await disk.allocate(0, 1),
    await disk.setTimes(0n, null),
  ];
}

Deno.test("ImageBackend with a size and a read() is a read-only disk", async () => {
  const disk = new ReadOnly();
  const { name, shared, writable } = disk;
  assertEquals({ name, shared, writable }, {
    name: "ReadOnly",
    shared: false,
    writable: false,
  });
  assertEquals(new ReadOnly("another").name, "another");
  assertEquals(await disk.stat(), {
    size: 10,
    allocated: null,
    blockSize: 4096,
    times: null,
  });
  assertEquals(await disk.extent(3), { data: true, end: Infinity });
  assertEquals(await disk.flush(), 0);
  assertEquals(
    await disk.write(0, new Uint8Array(1), 0, 1),
    -ERRNO.EROFS,
  );
  assertEquals(await refusalsOf(disk), Array(4).fill(-ERRNO.EROFS));
  await disk.close();
});

Deno.test("ImageBackend refuses calls that a writable disk leaves out", async () => {
  const disk = new Writable();
  assertEquals(await disk.flush(), 0);
  assertEquals(await refusalsOf(disk), Array(4).fill(-ERRNO.EOPNOTSUPP));
});
