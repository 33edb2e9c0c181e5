import { assertEquals, assertRejects } from "@std/assert";
import { decodeStruct, encodeStruct } from "../../src/protocol/codec.ts";
import { ERRNO } from "../../src/base/errno.ts";
import { O } from "../../src/base/file_flags.ts";
import type { StructName } from "../../src/protocol/types.ts";
import { SimClient } from "../../sim/vfs/sim_client.ts";
import type { TakenRequest } from "../../sim/kernel/dispatch.ts";
import { SimError } from "../../sim/kernel/call.ts";
import type { SimFile } from "../../sim/vfs/sim_file.ts";
import {
  exported,
  type ExportOptions,
  manual,
  takeAll,
  wanted,
} from "./_fixtures.ts";

const KIB = 1024;

/** The READs and WRITEs that were sent: [offset, size]. */
function parts(taken: TakenRequest[]): [number, number][] {
  return taken.flatMap(({ call }) => {
    if (call.opcode !== "READ" && call.opcode !== "WRITE") return [];
    const name: StructName = call.opcode === "READ"
      ? "fuse_read_in"
      : "fuse_write_in";
    const { offset, size } = decodeStruct(name, call.body!);
    return [[Number(offset), size]];
  });
}

/**
 * Makes calls on an exported file; returns the READs and WRITEs that were sent.
 */
async function sent(
  options: ExportOptions,
  calls: (file: SimFile) => Promise<void>,
): Promise<[number, number][]> {
  const taken: TakenRequest[] = [];
  const kernel = {
    ...options.kernel,
    onTaken: (request: TakenRequest) => taken.push(request),
  };
  const made = await exported({ ...options, kernel });
  await calls(await made.client.open(O.RDWR));
  made.kernel.unmount();
  await made.server.ended;
  assertEquals(made.kernel.violations, []);
  return parts(taken);
}

const SMALL: ExportOptions = {
  wanted: (same) => ({ ...same, maxWrite: 64 * KIB }),
  kernel: { maxRead: 1 << 20 },
};

Deno.test("SimFile.pwrite() is split by max_write", async () => {
  const seen = await sent(SMALL, async (file) => {
    const count = await file.pwrite(new Uint8Array(150 * KIB), 512);
    assertEquals(count, 150 * KIB);
  });
  assertEquals(seen, [
    [512, 64 * KIB],
    [512 + 64 * KIB, 64 * KIB],
    [512 + 128 * KIB, 22 * KIB],
  ]);
});

Deno.test("SimFile.pread() is split by the mount's max_read", async () => {
  const options = { kernel: { maxRead: 8 * KIB } };
  const seen = await sent(options, async (file) => {
    assertEquals(await file.pread(new Uint8Array(20 * KIB), 0), 20 * KIB);
  });
  assertEquals(seen, [
    [0, 8 * KIB],
    [8 * KIB, 8 * KIB],
    [16 * KIB, 4 * KIB],
  ]);
});

Deno.test("SimFile.pread() is split by 32 pages without FUSE_MAX_PAGES", async () => {
  const options: ExportOptions = {
    wanted: (same) => ({
      ...same,
      flags: same.flags.filter((flag) => flag !== "MAX_PAGES"),
    }),
  };
  const seen = await sent(options, async (file) => {
    await file.pread(new Uint8Array(300 * KIB), 0);
  });
  assertEquals(seen.map(([, size]) => size / KIB), [128, 128, 44]);
});

Deno.test("SimFile.pread() stops at a short part", async () => {
  const options = { size: 100 * KIB, kernel: { maxRead: 64 * KIB } };
  const seen = await sent(options, async (file) => {
    assertEquals(await file.pread(new Uint8Array(256 * KIB), 0), 100 * KIB);
    assertEquals(await file.pread(new Uint8Array(10), 100 * KIB), 0);
    assertEquals(await file.pread(new Uint8Array(0), 0), 0);
  });
  assertEquals(seen, [
    [0, 64 * KIB],
    [64 * KIB, 64 * KIB],
    [100 * KIB, 10],
  ]);
});

Deno.test("SimFile.pwrite() stops at the end of a fixed disk", async () => {
  const options = { ...SMALL, size: 100 * KIB };
  const seen = await sent(options, async (file) => {
    assertEquals(await file.pwrite(new Uint8Array(256 * KIB), 0), 100 * KIB);
    const { errno } = await assertRejects(
      () => file.pwrite(new Uint8Array(10), 100 * KIB),
      SimError,
    );
    assertEquals(errno, ERRNO.ENOSPC);
  });
  assertEquals(seen.length, 3);
});

Deno.test("SimFile.aioRead() sends its parts together, pread() does not", async () => {
  for (const together of [true, false]) {
    const { kernel, file, queue, finish } = await opened();
    const into = new Uint8Array(20 * KIB);
    const result = together ? file.aioRead(into, 0) : file.pread(into, 0);
    await Promise.resolve();
    const first = takeAll(queue);
    assertEquals(first.length, together ? 3 : 1);
    assertEquals(kernel.backgroundActive, together ? 3 : 0);
    await finish(first);
    assertEquals(await result, 20 * KIB);
  }
});

Deno.test("SimFile.aioRead() sends one at a time without FUSE_ASYNC_DIO", async () => {
  const { file, queue, finish } = await opened(wanted({}, "ASYNC_DIO"));
  const reads = [0, 1, 2].map((i) =>
    file.aioRead(new Uint8Array(512), i * 512)
  );
  await Promise.resolve();
  const first = takeAll(queue);
  assertEquals(first.length, 1);
  await finish(first);
  assertEquals(await Promise.all(reads), [512, 512, 512]);
});

Deno.test("SimFile.aioRead() ends at the first gap", async () => {
  const { file, queue, finish } = await opened();
  const result = file.aioRead(new Uint8Array(20 * KIB), 0);
  await Promise.resolve();
  const taken = takeAll(queue);
  taken[1]!.reply.ok(100);
  queue.reply(taken.splice(1, 1)[0]!);
  await finish(taken);
  assertEquals(await result, 8 * KIB + 100);
});

Deno.test("SimFile.aioRead() fails with the first error", async () => {
  const { file, queue, finish } = await opened();
  const result = file.aioRead(new Uint8Array(20 * KIB), 0);
  await Promise.resolve();
  const taken = takeAll(queue);
  taken[2]!.reply.error(28);
  queue.reply(taken.splice(2, 1)[0]!);
  const failed = assertRejects(() => result, SimError);
  await finish(taken);
  assertEquals((await failed).errno, 28);
});

Deno.test("SimFile.aioWrite() that is cut short fails with EIO", async () => {
  const { client, kernel, server } = await exported({ size: 4096 });
  const file = await client.open(O.RDWR);
  const write = () => file.aioWrite(new Uint8Array(100), 4090);
  assertEquals((await assertRejects(write, SimError)).errno, 5);
  kernel.unmount();
  await server.ended;
});

/** An open file whose server is the test itself; max_read is 8 KiB. */
async function opened(asked = wanted({})) {
  const { kernel, queues } = await manual({ maxRead: 8 * KIB }, asked);
  const queue = queues[0]!;
  const opening = new SimClient(kernel).open();
  await respond(queue, () => {
    const [getattr] = takeAll(queue);
    getattr!.reply.data.set(encodeStruct("fuse_attr_out", {
      attr: { mode: 0o100600, size: 1n << 20n },
    }));
    getattr!.reply.ok(104);
    queue.reply(getattr!);
  });
  await respond(queue, () => {
    const [open] = takeAll(queue);
    open!.reply.zeroed(16).setUint32(8, 0x41, true);
    open!.reply.ok(16);
    queue.reply(open!);
  });
  const file = await opening;
  async function finish(taken: ReturnType<typeof takeAll>) {
    while (taken.length > 0) {
      for (const { request, reply } of taken) {
        reply.ok(decodeStruct("fuse_read_in", request.body).size);
      }
      for (const exchange of taken) queue.reply(exchange);
      await new Promise((resolve) => setTimeout(resolve));
      taken = takeAll(queue);
    }
  }
  return { kernel, queue, file, finish };
}

async function respond(
  queue: { ready(): Promise<void>; next(mayBlock: false): unknown },
  act: () => void,
) {
  await new Promise((resolve) => setTimeout(resolve));
  act();
  assertEquals(queue.next(false), null);
}
