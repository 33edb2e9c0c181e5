import { assertEquals } from "@std/assert";
import type { TakenRequest } from "../../sim/kernel/dispatch.ts";
import type { DispatchPolicy } from "../../sim/kernel/policy.ts";
import { RoundRobinPolicy } from "../../sim/kernel/policy.ts";
import { answer, exported, manual, readCall, takeAll } from "./_fixtures.ts";

Deno.test("RoundRobinPolicy takes turns and skips closed queues", () => {
  const policy = new RoundRobinPolicy();
  const turns = (open: number[], count: number) =>
    Array.from({ length: count }, () => policy.assign(open));
  assertEquals(turns([0, 1, 2, 3], 6), [0, 1, 2, 3, 0, 1]);
  assertEquals(turns([0, 1, 3], 4), [3, 0, 1, 3]);
  assertEquals(turns([1], 2), [1, 1]);
});

Deno.test("SimKernel distributes requests in strict turns", async () => {
  const taken: TakenRequest[] = [];
  const { kernel, client, server } = await exported({
    kernel: { queues: 4, onTaken: (request) => taken.push(request) },
  });
  const file = await client.open();
  for (let i = 0; i < 98; i++) {
    await file.pread(new Uint8Array(512), i * 512);
  }
  // INIT goes to the first queue and takes no turn.
  assertEquals(taken[0]!.call.opcode, "INIT");
  const dealt = taken.slice(1);
  assertEquals(dealt.map(({ queue }) => queue), dealt.map((_, i) => i % 4));
  assertEquals(
    dealt.map(({ unique }) => unique),
    dealt.map((_, i) => BigInt(2 * i + 4)),
  );
  assertEquals(kernel.queues.map((queue) => queue.answered), [26, 25, 25, 25]);
  kernel.unmount();
  await server.ended;
  assertEquals(kernel.violations, []);
});

Deno.test("SimKernel keeps a busy queue's turn for it", async () => {
  const { kernel, queues } = await manual({ queues: 2, capacity: 1 });
  const calls = [1, 2, 3, 4].map(() => kernel.call(readCall()));
  const [first] = takeAll(queues[0]!);
  const [second] = takeAll(queues[1]!);
  answer(queues[1]!, second!);
  const [fourth] = takeAll(queues[1]!);
  assertEquals(fourth!.request.unique, 10n);
  assertEquals(kernel.pending, 1);
  answer(queues[0]!, first!);
  const [third] = takeAll(queues[0]!);
  assertEquals(third!.request.unique, 8n);
  answer(queues[0]!, third!);
  answer(queues[1]!, fourth!);
  assertEquals((await Promise.all(calls)).length, 4);
});

Deno.test("SimKernel asks another policy who is woken", async () => {
  const woken: number[][] = [];
  const policy: DispatchPolicy = {
    name: "last",
    assign: () => -1,
    wake(waiting) {
      woken.push([...waiting]);
      return waiting.at(-1)!;
    },
  };
  const { kernel, queues } = await manual({ queues: 3, policy });
  for (const at of [1, 0, 2]) assertEquals(queues[at]!.next(false), null);
  kernel.call(readCall());
  kernel.call(readCall());
  assertEquals(woken, [[1, 0, 2], [1, 0]]);
  assertEquals(takeAll(queues[0]!).length, 1);
  assertEquals(takeAll(queues[2]!).length, 1);
  assertEquals(kernel.pending, 0);
});

Deno.test("SimKernel moves the requests of a closed queue to others", async () => {
  const { kernel, queues } = await manual({ queues: 3 });
  const calls = [1, 2, 3].map(() => kernel.call(readCall()));
  queues[1]!.close();
  const seen = [queues[0]!, queues[2]!].map((queue) => {
    const taken = takeAll(queue);
    for (const exchange of taken) answer(queue, exchange);
    return taken.length;
  });
  assertEquals(seen[0]! + seen[1]!, 3);
  for (const call of calls) assertEquals((await call).errno, 0);
});
