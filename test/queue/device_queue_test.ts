import { assertEquals, assertMatch } from "@std/assert";
import { ERRNO, errnoName } from "../../src/base/errno.ts";
import { DeviceEvents } from "../../src/event/device_events.ts";
import { DeviceQueue } from "../../src/queue/device_queue.ts";
import { largeSlotSize } from "../../src/queue/slot.ts";
import { SLAB_SIZE } from "../../src/queue/slot_pool.ts";
import { QueueStatistics } from "../../src/queue/queue_statistics.ts";
import { serve } from "../../src/queue/serve.ts";
import { FakeDevice } from "./fake_device.ts";
import { mistakesSuite } from "./mistakes_suite.ts";
import {
  type FixtureOptions,
  type QueueFixture,
  queueSuite,
} from "./queue_suite.ts";
import { parseReply, plainReply, readMessage } from "./messages.ts";

function make({ capacity, maxPayload }: FixtureOptions): QueueFixture {
  const device = new FakeDevice();
  // One large slot more, to read into, and the first slab.
  const memoryMax = (capacity + 1) * largeSlotSize(maxPayload) + SLAB_SIZE;
  const queue = new DeviceQueue(device, { maxPayload, memoryMax });
  return {
    queue,
    deliver: (message) => device.push(message),
    replies: () => device.written.splice(0),
    refuse: () => device.writeResult = -ERRNO.ENOENT,
    end(reason) {
      device.endErrno = reason === "aborted"
        ? ERRNO.ECONNABORTED
        : ERRNO.ENODEV;
      device.wake();
    },
    get closes() {
      return device.closes;
    },
    dispose() {},
  };
}

queueSuite({ name: "DeviceQueue", make, reportsDelivery: true });
mistakesSuite("DeviceQueue", make);

function deviceQueue(maxPayload = 65536): [FakeDevice, DeviceQueue] {
  const device = new FakeDevice();
  return [device, new DeviceQueue(device, { maxPayload })];
}

Deno.test("DeviceQueue reads into buffers that the kernel accepts", () => {
  const [small, smallQueue] = deviceQueue(4096);
  smallQueue.next(false);
  assertEquals(small.smallest, 8192);
  const [large, largeQueue] = deviceQueue(1 << 20);
  largeQueue.next(false);
  assertEquals(large.smallest, 80 + (1 << 20));
});

Deno.test("DeviceQueue blocks only if allowed", () => {
  const [device, queue] = deviceQueue();
  device.push(readMessage(2n));
  device.push(readMessage(4n));
  queue.next(true);
  queue.next(false);
  queue.next(false);
  assertEquals(device.blocked, [true, false, false]);
});

Deno.test("DeviceQueue sleeps no longer than the limit", () => {
  const device = new FakeDevice();
  const events = new DeviceEvents(device, { longestSleepMs: 500 });
  const queue = new DeviceQueue(device, { maxPayload: 4096, events });
  assertEquals(queue.next(true), null);
  assertEquals(queue.end, null);
  assertEquals(device.sleeps, [500]);
  assertEquals(device.blocked, [false]);
  device.push(readMessage(2n));
  assertEquals(queue.next(true)?.request.unique, 2n);
  assertEquals(device.blocked, [false, false]);
});

Deno.test("DeviceQueue returns to the serve loop, which checks whether to stop", async () => {
  const device = new FakeDevice();
  const events = new DeviceEvents(device, { longestSleepMs: 500 });
  const queue = new DeviceQueue(device, { maxPayload: 4096, events });
  const statistics = QueueStatistics.create(1);
  const handler = { handle: () => {} };
  const ended = serve(queue, handler, { mayBlock: true, statistics });
  setTimeout(() => statistics.stop());
  assertEquals((await ended).reason, "closed");
});

Deno.test("DeviceQueue reads again after ENOENT and EINTR", () => {
  const [device, queue] = deviceQueue();
  for (const errno of [ERRNO.ENOENT, ERRNO.EINTR]) device.push(errno);
  device.push(readMessage(2n));
  assertEquals(queue.next(false)?.request.unique, 2n);
  assertEquals(queue.end, null);
});

Deno.test("DeviceQueue reads again after EAGAIN only if it may block", () => {
  const [device, queue] = deviceQueue();
  device.push(ERRNO.EAGAIN);
  device.push(readMessage(2n));
  assertEquals(queue.next(false), null);
  device.pending.unshift(ERRNO.EAGAIN);
  assertEquals(queue.next(true)?.request.unique, 2n);
});

Deno.test("DeviceQueue fails at any other error and names it", () => {
  const [device, queue] = deviceQueue();
  device.push(ERRNO.EPERM);
  assertEquals(queue.next(true), null);
  assertEquals(queue.end?.reason, "failed");
  assertMatch(queue.end!.message, /EPERM/);
});

Deno.test("DeviceQueue closes the descriptor with requests outstanding", () => {
  const [device, queue] = deviceQueue();
  device.push(readMessage(2n));
  const exchange = queue.next(false)!;
  queue.close();
  exchange.reply.ok();
  assertEquals(queue.reply(exchange), false);
  assertEquals(device.written, []);
});

/** Serves one READ whose reply is refused; returns the reports. */
async function refused(
  device: FakeDevice,
  queue: DeviceQueue,
  errno: number,
): Promise<string[]> {
  const reports: string[] = [];
  device.push(readMessage(2n));
  device.push(ERRNO.ENODEV);
  device.refusals.push(errno);
  const statistics = QueueStatistics.create(1);
  await serve(queue, { handle: (_request, reply) => reply.ok(5) }, {
    statistics,
    report: (error, during) => reports.push(`${during}: ${error}`),
  });
  assertEquals(statistics.totals()[0]!.requests, 1);
  return reports;
}

for (const errno of [ERRNO.EINVAL, ERRNO.EIO, ERRNO.EFAULT]) {
  Deno.test(`DeviceQueue answers EIO in place of a reply that is refused with ${errno}`, async () => {
    const [device, queue] = deviceQueue();
    assertEquals(await refused(device, queue, errno), [
      `READ: ReplyError: Cannot answer READ (unique 2) by 21 bytes: the kernel refuses the reply with ${
        errnoName(errno)
      }`,
    ]);
    assertEquals(device.written.map(parseReply), [
      plainReply(2n, -ERRNO.EIO),
    ]);
  });
}

for (const errno of [ERRNO.ENOENT, ERRNO.ENODEV, ERRNO.ECONNABORTED]) {
  Deno.test(`DeviceQueue reports no reply that nothing waits for: errno ${errno}`, async () => {
    const [device, queue] = deviceQueue();
    assertEquals(await refused(device, queue, errno), []);
    assertEquals(device.written, []);
  });
}

for (
  const [errno, reason] of [
    [ERRNO.ENODEV, "unmounted"],
    [ERRNO.ECONNABORTED, "aborted"],
  ] as const
) {
  Deno.test(`DeviceQueue that loses requests while the connection ends learns from the next read that it was ${reason}`, () => {
    const [device, queue] = deviceQueue();
    for (let i = 0; i < 3; i++) device.push(ERRNO.ECONNABORTED);
    device.endErrno = errno;
    assertEquals(queue.next(true), null);
    assertEquals(queue.end?.reason, reason);
  });
}
