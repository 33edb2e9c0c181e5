import { assertEquals, assertRejects } from "@std/assert";
import { ERRNO } from "../../src/base/errno.ts";
import { SimClient } from "../../sim/vfs/sim_client.ts";
import { SimKernel } from "../../sim/vfs/sim_kernel.ts";
import { SimError } from "../../sim/kernel/call.ts";
import {
  answer,
  exported,
  manual,
  readCall,
  takeAll,
  WANTED,
  wanted,
} from "./_fixtures.ts";

async function errnoOf(call: Promise<{ errno: number }>): Promise<number> {
  return (await call).errno;
}

Deno.test("closing one queue fails only the requests that it has taken", async () => {
  const { kernel, queues } = await manual({ queues: 2 });
  const calls = [kernel.call(readCall()), kernel.call(readCall())];
  const [lost] = takeAll(queues[0]!);
  const [kept] = takeAll(queues[1]!);
  queues[0]!.close();
  assertEquals(await errnoOf(calls[0]!), ERRNO.ECONNABORTED);
  assertEquals(answer(queues[0]!, lost!), false);
  assertEquals(answer(queues[1]!, kept!), true);
  assertEquals(await errnoOf(calls[1]!), 0);
  assertEquals(kernel.connected, true);
  assertEquals(kernel.violations, []);
});

Deno.test("closing the last queue aborts the connection", async () => {
  const { kernel, queues } = await manual({ queues: 2 });
  const calls = [1, 2, 3].map(() => kernel.call(readCall()));
  takeAll(queues[1]!);
  for (const queue of queues) queue.close();
  for (const call of calls) {
    assertEquals(await errnoOf(call), ERRNO.ECONNABORTED);
  }
  assertEquals(kernel.connected, false);
  const client = new SimClient(kernel);
  const error = await assertRejects(() => client.stat(), SimError);
  assertEquals(error.errno, ERRNO.ENOTCONN);
  assertEquals(kernel.outstanding, 0);
});

Deno.test("unmounting ends every queue and fails requests in flight", async () => {
  const { kernel, queues } = await manual({ queues: 3, capacity: 1 });
  const calls = Array.from({ length: 9 }, () => kernel.call(readCall()));
  const [exchange] = takeAll(queues[0]!);
  const ready = queues.slice(1).map((queue) => {
    takeAll(queue);
    return queue.ready();
  });
  kernel.unmount();
  await Promise.all(ready);
  assertEquals(queues.map((queue) => [queue.next(false), queue.end?.reason]), [
    [null, "unmounted"],
    [null, "unmounted"],
    [null, "unmounted"],
  ]);
  assertEquals(answer(queues[0]!, exchange!), false);
  for (const call of calls) {
    assertEquals(await errnoOf(call), ERRNO.ECONNABORTED);
  }
  assertEquals(await errnoOf(kernel.call(readCall())), ERRNO.ENOTCONN);
  assertEquals(kernel.outstanding, 0);
  assertEquals(kernel.pending, 0);
  assertEquals(kernel.violations, []);
});

for (
  const [asked, reason] of [
    [WANTED, "aborted"],
    [wanted({}, "ABORT_ERROR"), "unmounted"],
  ] as const
) {
  Deno.test(`aborting ends queues as "${reason}" if negotiated`, async () => {
    const { kernel, queues } = await manual({}, asked);
    const call = kernel.call(readCall());
    takeAll(queues[0]!);
    kernel.abort();
    assertEquals(await errnoOf(call), ERRNO.ECONNABORTED);
    assertEquals(queues[0]!.end?.reason, reason);
  });
}

Deno.test("unmounting before INIT is answered refuses all requests", async () => {
  const kernel = new SimKernel();
  const call = kernel.call(readCall());
  kernel.unmount();
  assertEquals(await errnoOf(call), ERRNO.ENOTCONN);
  assertEquals(await kernel.initialised, "the server answered with error 103");
  assertEquals(kernel.violations, []);
});

Deno.test("unmounting under load leaves no request", async () => {
  const { kernel, client, server } = await exported({ kernel: { queues: 2 } });
  const file = await client.open();
  const reads = Array.from(
    { length: 50 },
    (_, i) => file.aioRead(new Uint8Array(4096), i * 4096),
  );
  kernel.unmount();
  const results = await Promise.allSettled(reads);
  for (const result of results) {
    if (result.status === "fulfilled") continue;
    assertEquals(result.reason.errno === ERRNO.ECONNABORTED, true);
  }
  const ends = await server.ended;
  assertEquals(ends.map(({ reason }) => reason), ["unmounted", "unmounted"]);
  assertEquals(kernel.outstanding, 0);
  assertEquals(kernel.violations, []);
});
