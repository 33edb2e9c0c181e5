import { assert, assertEquals } from "@std/assert";
import { ERRNO } from "../../src/base/errno.ts";
import { DeviceEvents } from "../../src/event/device_events.ts";
import type { Exchange } from "../../src/protocol/exchange.ts";
import type { ReplyError } from "../../src/protocol/reply_error.ts";
import { DeviceQueue } from "../../src/queue/device_queue.ts";
import { largeSlotSize } from "../../src/queue/slot.ts";
import { SLAB_SIZE } from "../../src/queue/slot_pool.ts";
import { FakeBatchRing } from "./fake_batch_ring.ts";
import { FakeDevice } from "./fake_device.ts";
import { parseReply, plainReply, readMessage } from "./messages.ts";
import { mistakesSuite } from "./mistakes_suite.ts";
import {
  type FixtureOptions,
  type QueueFixture,
  queueSuite,
} from "./queue_suite.ts";

const MIB = 2 ** 20;

function batchQueue(options: { memoryMax?: number; waits?: boolean } = {}) {
  const device = new FakeDevice();
  const batch = new FakeBatchRing(device, new FakeDevice(device));
  const refused: ReplyError[] = [];
  const clock = { ms: 0 };
  const events = new DeviceEvents(device);
  events.addRing(batch.events, batch.watch, true);
  const maxPayload = 65536;
  const { memoryMax = 64 * MIB, waits = false } = options;
  const queue = new DeviceQueue(device, { maxPayload, memoryMax, events });
  batch.slots.waits = waits;
  const works = queue.startBatches({
    events: batch.events,
    slots: batch.slots,
    device: batch.device,
    onRefused: (error) => refused.push(error),
    now: () => clock.ms,
  });
  batch.slots.asked.length = 0;
  const deliver = (message: Uint8Array) => {
    device.push(message);
    batch.watch.look();
  };
  return { device, batch, queue, refused, works, deliver, clock };
}

function make({ capacity, maxPayload }: FixtureOptions): QueueFixture {
  // One large slot more, to read into, and the first slab.
  const memoryMax = (capacity + 1) * largeSlotSize(maxPayload) + SLAB_SIZE;
  const { device, batch, queue, deliver } = batchQueue({ memoryMax });
  const devices = [device, batch.device];
  return {
    queue,
    deliver,
    replies() {
      // A reply is sent by the next call at the latest.
      queue.ready();
      return device.written.splice(0);
    },
    refuse() {
      for (const each of devices) each.writeResult = -ERRNO.ENOENT;
    },
    end(reason) {
      const errno = reason === "aborted" ? ERRNO.ECONNABORTED : ERRNO.ENODEV;
      for (const each of devices) each.endErrno = errno;
      device.wake();
      batch.watch.look();
    },
    get closes() {
      assertEquals(device.closes, batch.device.closes);
      return device.closes;
    },
    dispose() {},
  };
}

queueSuite({ name: "DeviceQueue in batches", make, reportsDelivery: false });
mistakesSuite("DeviceQueue in batches", make);

/** Takes and answers requests, as a thread that may block; returns their ids. */
function serve(queue: DeviceQueue, count: number): bigint[] {
  const served: bigint[] = [];
  for (let i = 0; i < count; i++) {
    const exchange = queue.next(true)!;
    served.push(exchange.request.unique);
    exchange.reply.ok();
    assert(queue.reply(exchange));
  }
  return served;
}

function uniques(count: number): bigint[] {
  return Array.from({ length: count }, (_, i) => 2n * BigInt(i + 1));
}

Deno.test("RequestBatch reads single requests by read(2)", () => {
  const { queue, batch, device } = batchQueue();
  for (const unique of uniques(40)) {
    device.push(readMessage(unique));
    assertEquals(serve(queue, 1), [unique]);
  }
  // The attempts to find more become rare.
  assertEquals(batch.slots.asked, [3, 3, 3, 3]);
});

Deno.test("RequestBatch reads as many requests as come together", () => {
  const { queue, batch, device } = batchQueue();
  const all = uniques(30);
  for (const unique of all) device.push(readMessage(unique));
  assertEquals(serve(queue, 30), all);
  // Two requests at once show that it is worth it.
  assertEquals(batch.slots.asked, [3, 6, 8, 8, 8]);
  device.push(readMessage(62n));
  assertEquals(serve(queue, 1), [62n]);
  assertEquals(queue.next(false), null);
  assertEquals(device.written.map((each) => parseReply(each).unique), [
    ...all,
    62n,
  ]);
});

Deno.test("RequestBatch sends replies before the thread sleeps", () => {
  const { queue, device } = batchQueue();
  for (const unique of uniques(10)) device.push(readMessage(unique));
  serve(queue, 10);
  assertEquals(queue.isBusy, true);
  device.push(ERRNO.ENODEV);
  assertEquals(queue.next(true), null);
  assertEquals(device.written.length, 10);
  assertEquals([queue.end?.reason, queue.isBusy], ["unmounted", false]);
});

Deno.test("RequestBatch sends replies when the queue is closed", () => {
  const { queue, batch, device } = batchQueue();
  for (const unique of uniques(10)) device.push(readMessage(unique));
  serve(queue, 10);
  queue.close();
  assertEquals(device.written.length, 10);
  assertEquals([device.closes, batch.device.closes], [1, 1]);
});

Deno.test("RequestBatch answers EIO in place of a reply that is refused", () => {
  const { queue, batch, device, refused } = batchQueue();
  for (const unique of uniques(8)) device.push(readMessage(unique));
  serve(queue, 3);
  batch.device.refusals.push(ERRNO.EINVAL);
  serve(queue, 5);
  assertEquals(queue.next(false), null);
  assertEquals(refused.map(({ message }) => message), [
    "Cannot answer READ (unique 6) by 16 bytes: the kernel refuses the reply with EINVAL",
  ]);
  const replies = device.written.map(parseReply);
  const sixth = replies.filter(({ unique }) => unique === 6n);
  assertEquals(sixth, [plainReply(6n, -ERRNO.EIO)]);
  assertEquals(replies.length, 8);
});

Deno.test("RequestBatch reports no reply that nothing waits for", () => {
  const { queue, batch, device, refused } = batchQueue();
  for (const unique of uniques(8)) device.push(readMessage(unique));
  serve(queue, 3);
  batch.device.refusals.push(ERRNO.ENOENT);
  serve(queue, 5);
  assertEquals(queue.next(false), null);
  assertEquals([refused, device.written.length], [[], 7]);
});

Deno.test("RequestBatch keeps replies apart from requests that are read meanwhile", () => {
  const { queue, device } = batchQueue();
  for (const unique of uniques(40)) device.push(readMessage(unique, 0, 4096));
  // Some requests stay outstanding, so that those after them are moved.
  const held: Exchange[] = [];
  for (const unique of uniques(40)) {
    const exchange = queue.next(true)!;
    assertEquals(exchange.request.unique, unique);
    held.push(exchange);
    if (held.length <= 5) continue;
    const { request, reply } = held[0]!;
    reply.data.fill(Number(request.unique), 0, 4096);
    reply.ok(4096);
    queue.reply(held.shift()!);
  }
  assertEquals(queue.next(false), null);
  for (const { unique, body } of device.written.map(parseReply)) {
    assertEquals(body, new Uint8Array(4096).fill(Number(unique)));
  }
  assertEquals(device.written.length, 35);
});

Deno.test("RequestBatch reads less at once where serving takes long", () => {
  const { queue, batch, device, clock } = batchQueue();
  const all = uniques(60);
  for (const unique of all) device.push(readMessage(unique));
  for (const unique of all) {
    assertEquals(serve(queue, 1), [unique]);
    clock.ms += 1;
  }
  const { asked } = batch.slots;
  assert(Math.max(...asked) <= 3, `${asked}`);
  assert(asked.reduce((sum, each) => sum + each, 0) < 20, `${asked}`);
});

Deno.test("RequestBatch never reads where an empty READ waits in the ring", () => {
  const { queue, batch, works, device } = batchQueue({ waits: true });
  assertEquals(works, false);
  for (const unique of uniques(30)) device.push(readMessage(unique));
  assertEquals(serve(queue, 30), uniques(30));
  assertEquals(batch.slots.asked, []);
});

Deno.test("RequestBatch reads no more than there is memory for", () => {
  const memoryMax = 2 * largeSlotSize(65536) + 2 * SLAB_SIZE;
  const { queue, batch, device } = batchQueue({ memoryMax });
  for (const unique of uniques(30)) device.push(readMessage(unique));
  assertEquals(serve(queue, 30), uniques(30));
  assertEquals(Math.max(...batch.slots.asked), 3);
});
