import { assertEquals, assertRejects } from "@std/assert";
import { decodeStruct } from "../../src/protocol/codec.ts";
import { ERRNO } from "../../src/base/errno.ts";
import { FALLOC_FL, O, S_IF, SEEK } from "../../src/base/file_flags.ts";
import type { OpcodeName } from "../../src/protocol/opcodes.ts";
import type { TakenRequest } from "../../sim/kernel/dispatch.ts";
import { SimError } from "../../sim/kernel/call.ts";
import { type Exported, exported, type ExportOptions } from "./_fixtures.ts";

interface Watched extends Exported {
  /** The opcodes sent since the last call. */
  names(): string[];
  /** The last request of an opcode. */
  last(opcode: OpcodeName): TakenRequest;
  finish(): Promise<void>;
}

async function watched(options: ExportOptions = {}): Promise<Watched> {
  const taken: TakenRequest[] = [];
  let seen = 0;
  const onTaken = (request: TakenRequest) => taken.push(request);
  const made = await exported({
    ...options,
    kernel: { ...options.kernel, onTaken },
  });
  seen = taken.length;
  return {
    ...made,
    names() {
      const names = taken.slice(seen).map(({ call }) => call.opcode);
      seen = taken.length;
      return names;
    },
    last: (opcode) => taken.findLast(({ call }) => call.opcode === opcode)!,
    async finish() {
      made.kernel.unmount();
      await made.server.ended;
      assertEquals(made.kernel.violations, []);
      assertEquals(made.kernel.outstanding, 0);
    },
  };
}

async function errnoOf(call: () => Promise<unknown>): Promise<number> {
  return (await assertRejects(call, SimError)).errno;
}

Deno.test("SimClient.open() asks for attributes once, then OPEN", async () => {
  const { client, names, last, finish } = await watched();
  const file = await client.open(O.RDWR | O.CREAT | O.NOCTTY);
  assertEquals(names(), ["GETATTR", "OPEN"]);
  const { flags } = decodeStruct("fuse_open_in", last("OPEN").call.body!);
  assertEquals(flags, O.RDWR | 0x8000);
  await client.open();
  assertEquals(names(), ["OPEN"]);
  const exclusive = () => client.open(O.CREAT | O.EXCL);
  assertEquals(await errnoOf(exclusive), ERRNO.EEXIST);
  assertEquals(names(), []);
  await file.close();
  await finish();
});

Deno.test("SimFile.close() flushes each time and releases once", async () => {
  const { client, names, last, finish } = await watched();
  const file = await client.open(O.RDWR);
  const second = file.dup();
  names();
  await file.close();
  assertEquals(names(), ["FLUSH"]);
  assertEquals(await errnoOf(() => file.close()), ERRNO.EBADF);
  await second.pread(new Uint8Array(10), 0);
  await second.close();
  assertEquals(names(), ["READ", "FLUSH", "RELEASE"]);
  assertEquals(last("RELEASE").call.credentials, undefined);
  assertEquals(last("FLUSH").call.credentials?.pid, 1000);
  await finish();
});

Deno.test("SimFile.close() does not flush a file with FOPEN_NOFLUSH", async () => {
  const { client, names, finish } = await watched();
  const reader = await client.open(O.RDONLY);
  names();
  await reader.dup().close();
  await reader.close();
  assertEquals(names(), ["RELEASE"]);
  await finish();
});

Deno.test("SimFile moves its position with read() and write()", async () => {
  const { client, finish } = await watched();
  const file = await client.open(O.RDWR);
  assertEquals(await file.write(Uint8Array.of(1, 2, 3, 4)), 4);
  assertEquals(await file.lseek(-2, SEEK.CUR), 2);
  const into = new Uint8Array(3);
  assertEquals(await file.read(into), 3);
  assertEquals([...into], [3, 4, 0]);
  assertEquals(await file.lseek(0, SEEK.CUR), 5);
  await finish();
});

Deno.test("SimFile refuses what its flags do not allow", async () => {
  const { client, names, finish } = await watched();
  const reader = await client.open(O.RDONLY);
  const writer = await client.open(O.WRONLY);
  names();
  const bytes = new Uint8Array(1);
  assertEquals(await errnoOf(() => reader.pwrite(bytes, 0)), ERRNO.EBADF);
  assertEquals(await errnoOf(() => writer.pread(bytes, 0)), ERRNO.EBADF);
  assertEquals(await errnoOf(() => reader.ftruncate(0)), ERRNO.EINVAL);
  assertEquals(await errnoOf(() => writer.pwrite(bytes, -1)), ERRNO.EINVAL);
  assertEquals(names(), []);
  await finish();
});

Deno.test("SimClient refuses changes to a read-only mount itself", async () => {
  const { client, names, finish } = await watched({
    rules: { writable: false },
    kernel: { readOnly: true },
  });
  names();
  for (
    const call of [
      () => client.open(O.RDWR),
      () => client.truncate(0),
      () => client.chmod(0o600),
      () => client.chown(1, 1),
      () => client.utimens("now", "now"),
    ]
  ) {
    assertEquals(await errnoOf(call), ERRNO.EROFS);
  }
  assertEquals(names(), []);
  await finish();
});

Deno.test("truncating sends the bits that Linux sends", async () => {
  const { client, last, finish } = await watched({ rules: { growable: true } });
  const valid = () => {
    const body = last("SETATTR").call.body!;
    return decodeStruct("fuse_setattr_in", body).valid;
  };
  const file = await client.open(O.RDWR);
  await file.ftruncate(1000);
  assertEquals(valid(), 0x248);
  await client.truncate(2000);
  assertEquals(valid(), 0x208);
  assertEquals((await client.stat()).size, 2000);
  await client.chmod(0o640);
  assertEquals(valid(), 0x1);
  assertEquals((await client.stat()).mode, S_IF.REG | 0o640);
  await client.chown(3, 4);
  assertEquals(valid(), 0x6);
  await client.utimens("now", "now");
  assertEquals(valid(), 0x1b0);
  await client.utimens(null, 5_000_000_007n);
  assertEquals(valid(), 0x20);
  assertEquals((await client.stat()).mtime, 5_000_000_007n);
  await finish();
});

Deno.test("O_TRUNC comes with OPEN or as SETATTR, as negotiated", async () => {
  const fixed = await watched({ rules: { truncate: "as-qemu" } });
  await fixed.client.open(O.RDWR | O.TRUNC);
  assertEquals(fixed.names(), ["GETATTR", "OPEN", "GETXATTR"]);
  const open = fixed.last("OPEN").call.body!;
  assertEquals(decodeStruct("fuse_open_in", open).flags & O.TRUNC, O.TRUNC);
  assertEquals((await fixed.client.stat()).size, 1 << 20);
  await fixed.finish();

  const growable = await watched({
    rules: { growable: true },
  });
  await growable.client.open(O.RDWR | O.TRUNC);
  assertEquals(growable.names(), ["GETATTR", "OPEN", "GETXATTR", "SETATTR"]);
  const setattr = growable.last("SETATTR").call.body!;
  assertEquals(decodeStruct("fuse_setattr_in", setattr).valid, 0x208);
  assertEquals((await growable.client.stat()).size, 0);
  await growable.finish();
});

Deno.test("SimClient caches attributes until something may change them", async () => {
  const { client, names, finish } = await watched();
  await client.stat();
  await client.stat();
  assertEquals(names(), ["GETATTR"]);
  const file = await client.open(O.RDWR);
  await file.pread(new Uint8Array(1), 0);
  await file.fstat();
  await file.pwrite(new Uint8Array(1), 0);
  await client.stat();
  assertEquals(names(), ["OPEN", "READ", "GETATTR", "WRITE", "GETATTR"]);
  await finish();
});

Deno.test("SimFile.fallocate() and lseek() reach the export", async () => {
  const { client, names, finish } = await watched({ size: 256 * 1024 });
  const { KEEP_SIZE, PUNCH_HOLE, ZERO_RANGE, COLLAPSE_RANGE } = FALLOC_FL;
  const file = await client.open(O.RDWR);
  await file.pwrite(new Uint8Array(4096).fill(1), 0);
  names();
  await file.fallocate(ZERO_RANGE | KEEP_SIZE, 0, 4096);
  await file.fallocate(PUNCH_HOLE | KEEP_SIZE, 0, 65_536);
  assertEquals(names(), ["GETXATTR", "FALLOCATE", "FALLOCATE"]);
  for (const mode of [PUNCH_HOLE, COLLAPSE_RANGE]) {
    const errno = await errnoOf(() => file.fallocate(mode, 0, 4096));
    assertEquals(errno, ERRNO.EOPNOTSUPP);
  }
  assertEquals(await errnoOf(() => file.fallocate(0, 0, 0)), ERRNO.EINVAL);
  assertEquals(names(), []);
  await file.pwrite(Uint8Array.of(1), 200_000);
  assertEquals(await file.lseek(0, SEEK.DATA), 196_608);
  assertEquals(await file.lseek(0, SEEK.HOLE), 0);
  assertEquals(await file.lseek(-1, SEEK.END), 256 * 1024 - 1);
  assertEquals(await errnoOf(() => file.lseek(0, 9)), ERRNO.EINVAL);
  const beyond = await errnoOf(() => file.lseek(1 << 20, SEEK.DATA));
  assertEquals(beyond, ERRNO.ENXIO);
  await finish();
});

Deno.test("SimFile.fsync() says which kind it is", async () => {
  const { client, last, finish } = await watched();
  const file = await client.open(O.RDWR);
  const flags = () => {
    const body = last("FSYNC").call.body!;
    return decodeStruct("fuse_fsync_in", body).fsync_flags;
  };
  await file.fsync();
  assertEquals(flags(), 0);
  await file.fdatasync();
  assertEquals(flags(), 1);
  await finish();
});

Deno.test("SimClient.statfs() returns the size of the file system", async () => {
  const { client, finish } = await watched();
  const { blocks, blockSize, nameMax } = await client.statfs();
  assertEquals([blocks * blockSize, nameMax], [1 << 20, 255]);
  await finish();
});

Deno.test("O_APPEND writes go to the end, one after another", async () => {
  const { client, finish } = await watched({
    size: 4096,
    rules: { growable: true },
  });
  const file = await client.open(O.RDWR | O.APPEND);
  const writes = [1, 2, 3].map((n) =>
    file.pwrite(new Uint8Array(10).fill(n), 0)
  );
  assertEquals(await Promise.all(writes), [10, 10, 10]);
  assertEquals((await client.stat()).size, 4126);
  const into = new Uint8Array(30);
  await file.pread(into, 4096);
  const expected = [1, 2, 3].flatMap((n) => new Array(10).fill(n));
  assertEquals([...into], expected);
  await finish();
});
