import { assertEquals } from "@std/assert";
import { answer, manual, readCall, takeAll, wanted } from "./_fixtures.ts";

for (const [asked, limit] of [[0, 12], [4, 4], [64, 32]] as const) {
  Deno.test(`SimKernel lets ${limit} background requests out of 32 at ${asked}`, async () => {
    const asks = wanted({ maxBackground: asked });
    const { kernel, queues } = await manual({ capacity: 64 }, asks);
    const calls = Array.from(
      { length: 32 },
      () => kernel.call(readCall(512, true)),
    );
    const first = takeAll(queues[0]!);
    assertEquals(first.length, limit);
    assertEquals(kernel.backgroundActive, limit);
    let most = first.length;
    const taken = first;
    const order: bigint[] = [];
    while (taken.length > 0) {
      const exchange = taken.shift()!;
      order.push(exchange.request.unique);
      answer(queues[0]!, exchange);
      taken.push(...takeAll(queues[0]!));
      most = Math.max(most, taken.length);
    }
    await Promise.all(calls);
    assertEquals(most, limit);
    assertEquals(order, order.toSorted((a, b) => Number(a - b)));
    assertEquals(kernel.outstanding, 0);
  });
}

Deno.test("SimKernel does not limit requests for which a process sleeps", async () => {
  const { kernel, queues } = await manual(
    { capacity: 64 },
    wanted({ maxBackground: 1 }),
  );
  const calls = Array.from({ length: 12 }, () => kernel.call(readCall()));
  const taken = takeAll(queues[0]!);
  assertEquals(taken.length, 12);
  for (const exchange of taken) answer(queues[0]!, exchange);
  await Promise.all(calls);
});
