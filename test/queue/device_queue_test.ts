import { assert, assertEquals, assertMatch } from "@std/assert";
import { ERRNO } from "../../src/base/errno.ts";
import { DeviceEvents } from "../../src/event/device_events.ts";
import { DeviceQueue } from "../../src/queue/device_queue.ts";
import type { FuseDevice } from "../../src/queue/fuse_device.ts";
import { QueueStatistics } from "../../src/queue/queue_statistics.ts";
import { serve } from "../../src/queue/serve.ts";
import {
  type FixtureOptions,
  type QueueFixture,
  queueSuite,
} from "./queue_suite.ts";
import { parseReply, plainReply, readMessage } from "./messages.ts";

/** A descriptor of /dev/fuse in memory, under the control of a test. */
class FakeDevice implements FuseDevice {
  readonly fd = 7;
  readonly pending: (Uint8Array | number)[] = [];
  readonly blocked: boolean[] = [];
  readonly sleeps: number[] = [];
  written: Uint8Array[] = [];
  closes = 0;
  smallest = Infinity;
  writeResult = 0;
  endErrno = 0;
  #blocking = true;
  #wake: (() => void)[] = [];

  read(buffer: Uint8Array<ArrayBuffer>): number {
    this.smallest = Math.min(this.smallest, buffer.length);
    this.blocked.push(this.#blocking);
    const message = this.pending.shift();
    if (typeof message === "number") return -message;
    if (message === undefined) {
      if (this.endErrno !== 0) return -this.endErrno;
      assert(!this.#blocking, "read(2) would block forever");
      return -ERRNO.EAGAIN;
    }
    buffer.fill(0xa5);
    buffer.set(message);
    return message.length;
  }

  write(buffer: Uint8Array<ArrayBuffer>, length: number): number {
    if (this.closes > 0) return -ERRNO.EBADF;
    const message = buffer.slice(0, length);
    if (this.writeResult < 0) return this.writeResult;
    if (this.endErrno !== 0) return -ERRNO.ENOENT;
    this.written.push(message);
    return length;
  }

  setBlocking(blocking: boolean): void {
    this.#blocking = blocking;
  }

  poll(limitMs?: number): boolean {
    this.sleeps.push(limitMs ?? 0);
    return this.pending.length > 0 || this.endErrno !== 0;
  }

  readable(): Promise<void> {
    if (this.poll()) return Promise.resolve();
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  close(): void {
    this.closes++;
  }

  push(message: Uint8Array | number): void {
    this.pending.push(message);
    this.wake();
  }

  wake(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}

function make(options: FixtureOptions): QueueFixture {
  const device = new FakeDevice();
  const queue = new DeviceQueue(device, options);
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

Deno.test("DeviceQueue has 16 requests outstanding by default", () => {
  const [device, queue] = deviceQueue();
  for (let i = 1; i <= 17; i++) device.push(readMessage(2n * BigInt(i)));
  const taken = Array.from({ length: 16 }, () => queue.next(false)!);
  assertEquals(queue.next(false), null);
  const [exchange] = taken;
  exchange!.reply.error(ERRNO.EIO);
  assert(queue.reply(exchange!));
  assertEquals(device.written.map(parseReply), [plainReply(2n, -ERRNO.EIO)]);
  assertEquals(queue.next(false)?.request.unique, 34n);
});
