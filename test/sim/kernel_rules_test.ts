import { assertEquals } from "@std/assert";
import { ERRNO } from "../../src/base/errno.ts";
import { OPCODES } from "../../src/protocol/opcodes.ts";
import { VirtualClock } from "../../sim/determinism/clock.ts";
import { SimClient } from "../../sim/vfs/sim_client.ts";
import { SimKernel } from "../../sim/vfs/sim_kernel.ts";
import { Signals } from "../../sim/kernel/call.ts";
import {
  answer,
  exported,
  manual,
  readCall,
  replyBytes,
  takeAll,
  wanted,
} from "./_fixtures.ts";

const { INTERRUPT, FORGET, BATCH_FORGET, READ } = OPCODES;
const NO_BODY = new Uint8Array();

function soon(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

Deno.test("a signal is passed on once the server has the request", async () => {
  const { kernel, queues: [queue] } = await manual();
  const signals = new Signals();
  const call = kernel.call({ ...readCall(), signals });
  signals.send("interrupt");
  const [read, interrupt] = takeAll(queue!);
  assertEquals(interrupt!.request.opcode, INTERRUPT.opcode);
  const { unique } = read!.request;
  assertEquals(interrupt!.request.unique, unique | 1n);
  assertEquals(interrupt!.request.body.getBigUint64(0, true), unique);
  // EAGAIN repeats the INTERRUPT, ENOSYS ends it.
  assertEquals(kernel.write(0, replyBytes(unique | 1n, -ERRNO.EAGAIN)), 16);
  const [again] = takeAll(queue!);
  assertEquals(again!.request.unique, unique | 1n);
  kernel.write(0, replyBytes(unique | 1n, -ERRNO.ENOSYS, NO_BODY));
  signals.send("interrupt");
  assertEquals(takeAll(queue!), []);
  answer(queue!, read!);
  assertEquals((await call).errno, 0);
  assertEquals(kernel.violations, []);
});

Deno.test("SIGKILL withdraws only requests that the server has not read", async () => {
  const { kernel, queues: [queue] } = await manual({ capacity: 1 });
  const signals = new Signals();
  const read = kernel.call({ ...readCall(), signals });
  const [taken] = takeAll(queue!);
  const pending = kernel.call({ ...readCall(), signals });
  signals.send("kill");
  assertEquals((await pending).errno, ERRNO.EINTR);
  assertEquals(kernel.outstanding, 1);
  answer(queue!, taken!);
  assertEquals((await read).errno, 0);
});

Deno.test("16 forgets alternate with 8 requests", async () => {
  const { kernel, queues: [queue] } = await manual({ capacity: 64 });
  const calls = Array.from({ length: 20 }, () => kernel.call(readCall()));
  for (let i = 0; i < 3; i++) kernel.forget({ nodeid: 5n, lookups: 1n });
  const order = takeAll(queue!).map(({ request }) => request.opcode);
  // All waiting forgets fit into one batch.
  const at = order.indexOf(BATCH_FORGET.opcode);
  assertEquals(order.slice(0, at), new Array(at).fill(READ.opcode));
  assertEquals([at, order.length], [8, 21]);
  kernel.forget({ nodeid: 6n, lookups: 2n });
  const [single] = takeAll(queue!);
  assertEquals(single!.request.opcode, FORGET.opcode);
  assertEquals(single!.request.nodeid, 6n);
  kernel.unmount();
  await Promise.all(calls);
});

Deno.test("NOTIFY_RESEND repeats the requests that were not answered", async () => {
  const { kernel, queues } = await manual({ queues: 2 });
  const call = kernel.call(readCall());
  const [first] = takeAll(queues[0]!);
  const { unique } = first!.request;
  assertEquals(kernel.write(0, replyBytes(0n, 7)), 16);
  const [again] = takeAll(queues[1]!);
  assertEquals(again!.request.unique, unique | 1n << 63n);
  answer(queues[1]!, again!);
  assertEquals((await call).errno, 0);
  assertEquals(kernel.write(0, replyBytes(unique, 0)), -ERRNO.ENOENT);
});

Deno.test("a clone is bound once, to a connection that has not ended", async () => {
  const { kernel, queues } = await manual({ queues: 3, bound: 1 });
  assertEquals(kernel.write(1, replyBytes(2n, 0)), -ERRNO.EPERM);
  assertEquals(kernel.clone(1, 2), -ERRNO.EPERM);
  assertEquals(kernel.clone(9, 0), -ERRNO.EINVAL);
  assertEquals(kernel.clone(1, 0), 0);
  assertEquals(kernel.clone(1, 0), -ERRNO.EINVAL);
  const calls = [kernel.call(readCall()), kernel.call(readCall())];
  for (const queue of queues.slice(0, 2)) {
    const taken = takeAll(queue);
    assertEquals(taken.length, 1);
    answer(queue, taken[0]!);
  }
  await Promise.all(calls);
  kernel.unmount();
  assertEquals(kernel.clone(2, 0), -ERRNO.EPERM);
});

Deno.test("a request that is unanswered too long aborts the connection", async () => {
  const clock = new VirtualClock();
  const flags = [...wanted({}).flags, "REQUEST_TIMEOUT" as const];
  const asked = wanted({ flags, requestTimeout: 20 });
  const { kernel, queues } = await manual({ clock }, asked);
  const call = kernel.call(readCall());
  takeAll(queues[0]!);
  let ended = false;
  call.then(() => ended = true);
  assertEquals(await clock.run(() => ended), "done");
  assertEquals((await call).errno, ERRNO.ECONNABORTED);
  // The oldest request is checked every 15 s.
  assertEquals(clock.now, 30e6);
  assertEquals(kernel.connected, false);
});

Deno.test("attributes are valid for as long as the server says", async () => {
  const clock = new VirtualClock();
  const { client, kernel } = await exported({ kernel: { clock } });
  const asked = () => kernel.queues[0]!.taken;
  await client.stat();
  const before = asked();
  await client.stat();
  assertEquals(asked(), before);
  let late = false;
  clock.after(1_000_001, () => late = true);
  await clock.run(() => late);
  await client.stat();
  assertEquals(asked(), before + 1);
  kernel.unmount();
});

Deno.test("an io_uring is used once every queue has an entry", async () => {
  const kernel = new SimKernel({ queues: 2, uring: true, capacity: 2 });
  assertEquals([kernel.control, kernel.queues.length], [2, 3]);
  const queues = kernel.queues.map(({ index }) => kernel.queue(index));
  const { handshake } = await import("../../src/queue/handshake.ts");
  const { protocolVersionOf } = await import("../../src/protocol/init.ts");
  const { negotiated } = await handshake(queues[2]!, wanted({}));
  for (const queue of queues) {
    queue.protocolVersion = protocolVersionOf(negotiated);
  }
  const call = kernel.call({ ...readCall(), cpu: 3 });
  assertEquals(takeAll(queues[0]!), []);
  assertEquals(kernel.waiting, 1);
  // Only the ring queue of the CPU gets the request.
  const [taken] = takeAll(queues[1]!);
  assertEquals(kernel.waiting, 0);
  answer(queues[1]!, taken!);
  assertEquals((await call).errno, 0);
  const next = kernel.call({ ...readCall(), cpu: 0 });
  assertEquals(takeAll(queues[1]!), []);
  const [other] = takeAll(queues[0]!);
  // A commit with another id fails the request.
  other!.reply.ok(0);
  other!.reply.header.setBigUint64(8, 999n, true);
  assertEquals(queues[0]!.reply(other!), false);
  assertEquals((await next).errno, ERRNO.ENOENT);
  kernel.unmount();
});

Deno.test("a lazy unmount ends with the last open file", async () => {
  const { kernel, client, server } = await exported();
  const file = await client.open();
  kernel.detach();
  assertEquals(kernel.connected, true);
  assertEquals(await file.pread(new Uint8Array(10), 0), 10);
  const error = await new SimClient(kernel).open().catch((error) => error);
  assertEquals(error.errno, ERRNO.ENOENT);
  await file.close();
  assertEquals(kernel.connected, false);
  await server.ended;
  await soon();
});
