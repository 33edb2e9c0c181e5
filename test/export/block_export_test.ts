import { assert, assertEquals } from "@std/assert";
import { exportCapabilities } from "../../src/export/block_export.ts";
import type { TruncateRule } from "../../src/export/export_context.ts";
import { decodeStruct } from "../../src/protocol/codec.ts";
import { ERRNO } from "../../src/base/errno.ts";
import { FOPEN } from "../../src/protocol/flags.ts";
import { O } from "../../src/base/file_flags.ts";
import { OPCODES } from "../../src/protocol/opcodes.ts";
import { NullBackend } from "../../src/backends/protocols/null.ts";
import { SIZE, testExport } from "./_fixtures.ts";

/** Counts the calls of flush. */
class Flushed extends NullBackend {
  flushes = 0;

  override flush(): number {
    this.flushes++;
    return 0;
  }
}

testExport(
  "OPEN bypasses the page cache and allows parallel writes",
  async (make) => {
    const { client } = make();
    const { errno, body } = await client.send("OPEN", { flags: O.RDWR });
    assertEquals(errno, 0);
    const { fh } = decodeStruct("fuse_open_out", body!);
    assertEquals(decodeStruct("fuse_open_out", body!), {
      fh,
      open_flags: FOPEN.DIRECT_IO | FOPEN.PARALLEL_DIRECT_WRITES,
      backing_id: 0,
    });
  },
);

testExport("OPEN with O_TRUNC wipes nothing", async (make) => {
  const { client, backend } = make();
  await client.write(0, Uint8Array.of(1, 2, 3));
  const flags = O.WRONLY | O.TRUNC;
  assertEquals((await client.send("OPEN", { flags })).errno, 0);
  assertEquals((await client.getattr()).size, BigInt(SIZE));
  const bytes = new Uint8Array(3);
  await backend.read(0, bytes, 0, 3);
  assertEquals([...bytes], [1, 2, 3]);
});

Deno.test("exportCapabilities() handles O_TRUNC itself only as QEMU does", () => {
  const flags = (growable: boolean, truncate?: TruncateRule) =>
    exportCapabilities({ growable, ...truncate && { truncate } }).flags;
  const atomic = (...rules: Parameters<typeof flags>) =>
    flags(...rules).includes("ATOMIC_O_TRUNC");
  assert(atomic(false, "as-qemu"));
  assert(!atomic(true));
  for (const rule of [undefined, "refuse", "zero"] as const) {
    assert(!atomic(false, rule), rule);
  }
  for (const flag of ["ASYNC_READ", "ASYNC_DIO", "MAX_PAGES"] as const) {
    assert(flags(false).includes(flag) && flags(true).includes(flag), flag);
  }
});

testExport("RELEASE and DESTROY succeed without a body", async (make) => {
  const { client } = make();
  for (const opcode of ["RELEASE", "DESTROY"] as const) {
    const { errno, body } = await client.send(opcode);
    assertEquals([errno, body?.length], [0, 0], opcode);
  }
});

testExport("LOOKUP finds nothing in a file", async (make) => {
  const name = new TextEncoder().encode("name\0");
  const { errno } = await make().client.send("LOOKUP", {}, name);
  assertEquals(errno, ERRNO.ENOENT);
});

testExport("FORGET and similar requests are not answered", async (make) => {
  const { client } = make();
  for (const opcode of ["FORGET", "BATCH_FORGET", "NOTIFY_REPLY"] as const) {
    assertEquals((await client.send(opcode)).body, null, opcode);
  }
});

testExport("every other opcode gives ENOSYS", async (make) => {
  const { client } = make();
  for (
    const opcode of [
      "INTERRUPT",
      "ACCESS",
      "LISTXATTR",
      "GETLK",
      "BMAP",
      "IOCTL",
      "POLL",
      "STATX",
      "COPY_FILE_RANGE",
      "SYNCFS",
      "READLINK",
    ] as const
  ) {
    assertEquals((await client.send(opcode)).errno, ERRNO.ENOSYS, opcode);
  }
  for (const opcode of [0, 7, 54, 1000, 4095, 2 ** 32 - 1]) {
    const { errno } = await client.send(opcode);
    assertEquals(errno, ERRNO.ENOSYS, `${opcode}`);
  }
  assertEquals(OPCODES.COPY_FILE_RANGE_64.opcode, 53);
});

testExport("FLUSH and FSYNC make writes durable", async (make) => {
  const backend = new Flushed(SIZE);
  const { client } = make({ backend });
  const fh = await client.open();
  assertEquals(await client.on("FLUSH", fh), 0);
  assertEquals(await client.on("FSYNC", fh), 0);
  assertEquals(backend.flushes, 2);
});

testExport(
  "FLUSH of a read-only image does not call the backend",
  async (make) => {
    const backend = new Flushed(SIZE);
    const { client } = make({ backend, writable: false });
    assertEquals((await client.send("FLUSH")).errno, 0);
    assertEquals((await client.send("FSYNC")).errno, 0);
    assertEquals(backend.flushes, 0);
  },
);
