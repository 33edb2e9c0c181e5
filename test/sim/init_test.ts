import { assertEquals, assertRejects } from "@std/assert";
import { decodeStruct } from "../../src/protocol/codec.ts";
import { ERRNO } from "../../src/base/errno.ts";
import { initFlag } from "../../src/protocol/init.ts";
import { OPCODES } from "../../src/protocol/opcodes.ts";
import { SimClient } from "../../sim/vfs/sim_client.ts";
import { SimKernel } from "../../sim/vfs/sim_kernel.ts";
import { SimError } from "../../sim/kernel/call.ts";
import {
  answer,
  manual,
  readCall,
  takeAll,
  WANTED,
  wanted,
} from "./_fixtures.ts";

Deno.test("SimKernel sends INIT first, as Linux 6.18 does", () => {
  const kernel = new SimKernel();
  const [init] = takeAll(kernel.queue(0));
  const { request } = init!;
  assertEquals(request.opcode, OPCODES.INIT.opcode);
  assertEquals(request.unique, 2n);
  assertEquals(request.length, 104);
  assertEquals([request.uid, request.gid, request.pid], [0, 0, 0]);
  const offered = decodeStruct("fuse_init_in", request.body);
  assertEquals(offered, {
    major: 7,
    minor: 45,
    max_readahead: 131072,
    flags: 0x73fffffb,
    flags2: 0x7fd,
    unused: new Array(11).fill(0),
  });
});

Deno.test("SimKernel sends nothing else before INIT is answered", async () => {
  const kernel = new SimKernel({ queues: 2 });
  const queues = [kernel.queue(0), kernel.queue(1)];
  kernel.call(readCall());
  kernel.call(readCall(512, true));
  const [init, ...others] = queues.flatMap(takeAll);
  assertEquals(others, []);
  assertEquals(kernel.outstanding, 3);
  init!.reply.error(ERRNO.EIO);
  queues[0]!.reply(init!);
  assertEquals(await kernel.initialised, "the server answered with error 5");
  assertEquals(kernel.outstanding, 0);
});

Deno.test("SimKernel sends waiting requests once INIT is answered", async () => {
  const kernel = new SimKernel();
  const reads = [kernel.call(readCall()), kernel.call(readCall())];
  const queue = kernel.queue(0);
  const [init] = takeAll(queue);
  const body = init!.reply.zeroed(64);
  body.setUint32(0, 7, true);
  body.setUint32(4, 31, true);
  init!.reply.ok(64);
  queue.reply(init!);
  const taken = takeAll(queue);
  assertEquals(taken.map(({ request }) => request.unique), [4n, 6n]);
  for (const exchange of taken) answer(queue, exchange);
  for (const read of reads) assertEquals((await read).errno, 0);
  assertEquals(kernel.violations, []);
});

Deno.test("SimKernel refuses calls when INIT has failed", async () => {
  const kernel = new SimKernel();
  const queue = kernel.queue(0);
  const [init] = takeAll(queue);
  init!.reply.error(ERRNO.EPROTO);
  queue.reply(init!);
  const client = new SimClient(kernel);
  const error = await assertRejects(() => client.stat(), SimError);
  assertEquals(error.errno, ERRNO.ECONNREFUSED);
  assertEquals(error.message, "Cannot stat: ECONNREFUSED");
  assertEquals(kernel.violations.map(({ kind }) => kind), ["bad INIT"]);
});

Deno.test("SimKernel keeps to the negotiated limits", async () => {
  const asked = wanted({ maxWrite: 200_704, maxBackground: 5 });
  const { kernel } = await manual({ maxRead: 1 << 20 }, asked);
  const { limits } = kernel;
  assertEquals(limits.maxWrite, 200_704);
  assertEquals(limits.maxPages, 49);
  assertEquals(limits.maxBackground, 5);
  assertEquals((limits.flags & initFlag("ASYNC_DIO")) !== 0n, true);
  assertEquals(kernel.split, { read: 200_704, write: 200_704 });
});

Deno.test("SimKernel keeps to its own limits", async () => {
  const large = wanted({ maxWrite: 1 << 20 });
  const limited = await manual({ offered: { maxPagesLimit: 100 } }, large);
  assertEquals(limited.kernel.split, { read: 409_600, write: 409_600 });
  const plain = await manual({}, wanted({ maxWrite: 65536 }, "MAX_PAGES"));
  assertEquals(plain.kernel.split, { read: 131_072, write: 65536 });
  const tiny = await manual({ maxRead: 1 }, wanted({ maxWrite: 1 }));
  assertEquals(tiny.kernel.split, { read: 4096, write: 4096 });
});

Deno.test("SimKernel reports flags of INIT that were not offered", async () => {
  const kernel = new SimKernel({ offered: { flags: 1n } });
  const queue = kernel.queue(0);
  const [init] = takeAll(queue);
  const body = init!.reply.zeroed(64);
  body.setUint32(0, 7, true);
  body.setUint32(4, 45, true);
  body.setUint32(12, 1 << 15, true);
  init!.reply.ok(64);
  queue.reply(init!);
  await kernel.initialised;
  await Promise.resolve();
  assertEquals(kernel.violations.map(({ message }) => message), [
    "Queue 0: bad INIT for 2: flags that were not offered: ASYNC_DIO",
  ]);
});

Deno.test("SimKernel reports buffers too small for max_write", async () => {
  const { kernel } = await manual({ maxPayload: 8192 }, WANTED);
  await Promise.resolve();
  assertEquals(kernel.violations.map(({ kind }) => kind), ["small buffer"]);
});

Deno.test("SimKernel speaks an older minor version", async () => {
  const offered = { minor: 31, flags: 0x8001n };
  const { kernel } = await manual(
    { offered },
    wanted({ flags: ["ASYNC_DIO"] }),
  );
  assertEquals(kernel.limits.minor, 31);
  assertEquals(kernel.violations, []);
});
