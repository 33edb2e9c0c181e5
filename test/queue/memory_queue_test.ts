import { assertEquals } from "@std/assert";
import { MemoryChannel } from "../../src/queue/memory_channel.ts";
import { MemoryQueue } from "../../src/queue/memory_queue.ts";
import { missingPermission, testIf } from "../requirements.ts";
import { MISTAKEN_VALUES } from "./mistaken_values.ts";
import { mistakesSuite } from "./mistakes_suite.ts";
import { queueSuite } from "./queue_suite.ts";
import { byDoorbell, inThread, RawKernel } from "./memory_fixture.ts";
import { parseReply, readMessage, take, turn } from "./messages.ts";

for (const layout of ["contiguous", "separate"] as const) {
  queueSuite({
    name: `MemoryQueue (${layout}, in one thread)`,
    make: (options) => inThread(layout, options),
    reportsDelivery: true,
  });
  queueSuite({
    name: `MemoryQueue (${layout}, by doorbell)`,
    make: (options) => byDoorbell(layout, options),
    reportsDelivery: false,
  });
  mistakesSuite(
    `MemoryQueue (${layout})`,
    (options) => inThread(layout, options),
  );
}

// The queue makes no difference to them, so one is enough.
mistakesSuite(
  "MemoryQueue",
  (options) => inThread("contiguous", options),
  MISTAKEN_VALUES,
);

Deno.test("MemoryQueue has several entries filled ahead if it offers them", async () => {
  const options = { capacity: 4, maxPayload: 8192 };
  const kernel = new RawKernel("contiguous", options);
  const queue = new MemoryQueue(kernel.channel, { kernel, offers: 3 });
  assertEquals(queue.next(false), null);
  for (const unique of [2n, 4n, 6n, 8n]) kernel.deliver(readMessage(unique));
  assertEquals(kernel.channel.filled.length, 3);
  for (const unique of [2n, 4n, 6n, 8n]) {
    const exchange = await take(queue);
    assertEquals(exchange.request.unique, unique);
    exchange.reply.ok();
    queue.reply(exchange);
  }
});

Deno.test("MemoryQueue returns requests that came before the end", () => {
  const { queue, deliver, end } = inThread("contiguous", {
    capacity: 2,
    maxPayload: 8192,
  });
  assertEquals(queue.next(false), null);
  deliver(readMessage(2n));
  end("unmounted");
  assertEquals(queue.end, null);
  assertEquals(queue.next(false)?.request.unique, 2n);
  assertEquals(queue.next(false), null);
  assertEquals(queue.end?.reason, "unmounted");
});

Deno.test("EntryFifo keeps its order when its count wraps around", () => {
  const { memory, options } = MemoryChannel.create({
    index: 0,
    capacity: 3,
    maxPayload: 8192,
  });
  new Int32Array(memory, 0, 1)[0] = -2;
  const channel = new MemoryChannel({ memory, options });
  // The reader starts at 0, as if it had taken all entries before.
  for (let i = 0; i < 2; i++) channel.offered.push(i);
  assertEquals(channel.offered.length, 0);
  for (let i = 0; i < 3; i++) channel.offered.push(i);
  const taken = [0, 1, 2].map(() => channel.offered.shift());
  assertEquals(taken, [0, 1, 2]);
  assertEquals(channel.offered.shift(), -1);
});

const workers = missingPermission("read");
for (const layout of ["contiguous", "separate"] as const) {
  testIf(
    workers,
    `MemoryQueue (${layout}, in a Worker) serves, blocks and ends`,
    async () => {
      const kernel = new RawKernel(layout, { capacity: 4, maxPayload: 8192 });
      const url = new URL("./memory_worker.ts", import.meta.url);
      const worker = new Worker(url, { type: "module" });
      const done = new Promise<string>((resolve) => {
        worker.onmessage = ({ data }) => resolve(data);
      });
      worker.postMessage(kernel.channel.handle);
      const running = kernel.run();
      for (let i = 1; i <= 200; i++) {
        kernel.deliver(readMessage(BigInt(2 * i), i, 16 + i));
        if (i % 50 === 0) await turn();
      }
      const replies: Uint8Array[] = [];
      while (replies.length < 200) {
        await turn();
        replies.push(...kernel.takeReplies());
      }
      for (const { unique, error, body } of replies.map(parseReply)) {
        const i = Number(unique) / 2;
        assertEquals([error, body.length, body[0]], [0, 16 + i, i & 0xff]);
      }
      const ids = new Set(replies.map((bytes) => parseReply(bytes).unique));
      assertEquals(ids.size, 200);
      kernel.end("unmounted");
      assertEquals(await done, "unmounted");
      worker.terminate();
      await running;
    },
  );
}
