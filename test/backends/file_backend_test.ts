import { assert, assertEquals, assertThrows } from "@std/assert";
import { FileBackend } from "../../src/backends/protocols/file/file_backend.ts";
import { ERRNO } from "../../src/base/errno.ts";
import { errnoOf } from "../../src/base/errno_of.ts";
import { FALLOC_FL } from "../../src/base/file_flags.ts";
import { Random } from "../_random.ts";
import { FakeBlockFile, type Faults } from "./_fake_block_file.ts";
import { testBackend, type Traits } from "./backend_suite.ts";

const MIB = 1 << 20;
const PUNCH = FALLOC_FL.PUNCH_HOLE | FALLOC_FL.KEEP_SIZE;

function testFake(
  name: string,
  faults: () => Faults,
  traits: Partial<Traits> = {},
): void {
  testBackend({
    name: `FileBackend ${name}`,
    open: (size) => {
      const file = new FakeBlockFile(size, faults());
      return { backend: new FileBackend(file, "disk.img", true) };
    },
    ...traits,
  });
}

testFake("of a plain file", () => ({}));
testFake("of a file that transfers in part", () => ({ random: new Random(1) }));
testFake("without FALLOC_FL_ZERO_RANGE", () => ({
  fallocate: "no zero range",
}));
testFake("of whole sectors", () => ({ fallocate: "sectors" }));
testFake("of a file that reports no holes", () => ({ seeks: false }));

function fake(size: number, faults: Faults = {}) {
  const file = new FakeBlockFile(size, faults);
  return { file, backend: new FileBackend(file, "disk.img", true) };
}

Deno.test("FileBackend reads less if the file was truncated", () => {
  const { backend } = fake(100, { random: new Random(3) });
  assertEquals(backend.read(10, new Uint8Array(200), 0, 200), 90);
  assertEquals(backend.read(100, new Uint8Array(10), 0, 10), 0);
});

Deno.test("FileBackend returns the bytes that it read before an error", () => {
  const { backend } = fake(MIB, {
    random: new Random(4),
    errors: { pread: { errno: ERRNO.EIO, after: 1 } },
  });
  const got = backend.read(0, new Uint8Array(MIB), 0, MIB);
  assert(got > 0 && got < MIB, `${got}`);
  assertEquals(backend.read(got, new Uint8Array(9), 0, 9), -ERRNO.EIO);
});

Deno.test("FileBackend takes what other programs have cut off for no hole", () => {
  const { backend, file } = fake(2 * MIB);
  file.size = MIB;
  assertEquals(backend.extent(4096), { data: false, end: MIB });
  for (const position of [MIB, MIB + 1, 2 * MIB - 1]) {
    assertEquals(backend.extent(position), { data: true, end: Infinity });
  }
});

Deno.test("FileBackend returns the bytes that it wrote before the medium was full", () => {
  const { backend } = fake(0, { pages: 3 });
  assertEquals(backend.write(100, new Uint8Array(MIB), 0, MIB), 3 * 4096 - 100);
  assertEquals(backend.write(MIB, new Uint8Array(9), 0, 9), -ERRNO.ENOSPC);
  assertEquals(backend.write(4096, new Uint8Array(8192), 0, 8192), 8192);
});

Deno.test("FileBackend returns the error of a write that wrote nothing", async () => {
  const { backend } = fake(100, { errors: { pwrite: { errno: ERRNO.EIO } } });
  assertEquals(backend.write(0, new Uint8Array(9), 0, 9), -ERRNO.EIO);
  assertEquals(
    await fake(9, {
      fallocate: "no zero range",
      errors: { pwrite: { errno: 28 } },
    }).backend.zero(0, 9, { unmap: false }),
    -ERRNO.ENOSPC,
  );
});

Deno.test("FileBackend returns the errors of every call", async () => {
  for (const errno of [ERRNO.EIO, ERRNO.ENOSPC, ERRNO.EPERM]) {
    const { backend } = fake(100, {
      errors: {
        fdatasync: { errno },
        ftruncate: { errno },
        fallocate: { errno },
        futimens: { errno },
        fstat: { errno },
      },
    });
    assertEquals(backend.flush(), -errno);
    assertEquals(backend.truncate(5), -errno);
    assertEquals(await backend.zero(0, 5, { unmap: true }), -errno);
    assertEquals(await backend.zero(0, 5, { unmap: false }), -errno);
    assertEquals(backend.allocate(0, 5), -errno);
    assertEquals(backend.setTimes(0n, null), -errno);
    const error = assertThrows(() => backend.stat(), Error, "disk.img");
    assertEquals(errnoOf(error), errno);
  }
});

Deno.test("FileBackend writes no zeroes if it cannot unmap a range", async () => {
  const { file, backend } = fake(MIB, { fallocate: "nothing" });
  backend.write(0, new Uint8Array(9).fill(1), 0, 9);
  assertEquals(await backend.zero(0, 9, { unmap: true }), -ERRNO.EOPNOTSUPP);
  assertEquals(backend.allocate(0, 9), -ERRNO.EOPNOTSUPP);
  assertEquals(file.calls, [`fallocate ${PUNCH} 0 9`, "fallocate 1 0 9"]);
  const bytes = new Uint8Array(9);
  backend.read(0, bytes, 0, 9);
  assertEquals(bytes[8], 1);
});

Deno.test("FileBackend unmaps whole sectors and writes zeroes to the rest", async () => {
  const { file, backend } = fake(MIB, { fallocate: "sectors" });
  backend.write(512, new Uint8Array(40960).fill(1), 0, 40960);
  assertEquals(await backend.zero(513, 20480, { unmap: true }), 0);
  assertEquals(file.calls, [
    `fallocate ${PUNCH} 513 20480`,
    `fallocate ${PUNCH} 4096 16384`,
  ]);
  const bytes = new Uint8Array(40960);
  backend.read(512, bytes, 0, 40960);
  assertEquals(bytes.indexOf(0), 1);
  assertEquals(bytes.indexOf(1, 1), 20481);
});

Deno.test("FileBackend closes its file", () => {
  const { file, backend } = fake(1);
  backend.close();
  assertEquals(file.closed, true);
});

Deno.test("FileBackend reports data if a hole changed during the search", () => {
  const { file, backend } = fake(MIB, {
    errors: { lseek: { errno: ERRNO.EIO, after: 1 } },
  });
  file.pwrite(Uint8Array.of(1), 0, 1, 0);
  assertEquals(backend.extent(0), { data: true, end: Infinity });
});
