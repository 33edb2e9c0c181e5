import { assert, assertEquals, assertMatch, unreachable } from "@std/assert";
import { ProtocolVersion } from "../../src/protocol/protocol_version.ts";
import { ERRNO } from "../../src/base/errno.ts";
import type { Completion } from "../../src/event/completion.ts";
import type { Exchange } from "../../src/protocol/exchange.ts";
import { PollStrategy } from "../../src/queue/poll_strategy.ts";
import type { QueueEnd, RequestQueue } from "../../src/queue/request_queue.ts";
import { UringQueue } from "../../src/queue/uring_queue.ts";
import {
  type FixtureOptions,
  type QueueFixture,
  queueSuite,
} from "./queue_suite.ts";
import { FakeRing } from "./fake_ring.ts";
import { parseReply, plainReply, readMessage, take } from "./messages.ts";

/** The queue over /dev/fuse that goes with a ring. */
class FakeDeviceQueue implements RequestQueue {
  readonly given: Exchange[] = [];
  readonly replied: Exchange[] = [];
  protocolVersion: ProtocolVersion = ProtocolVersion.BEFORE_INIT;
  end: QueueEnd | null = null;
  closes = 0;

  next(): Exchange | null {
    return this.given.shift() ?? null;
  }

  ready(): Promise<void> {
    return Promise.resolve();
  }

  reply(exchange: Exchange): boolean {
    this.replied.push(exchange);
    return true;
  }

  close(): void {
    this.closes++;
  }
}

interface Parts {
  readonly ring: FakeRing;
  readonly device: FakeDeviceQueue;
  readonly queue: UringQueue;
}

function uringQueue(watchDevice = false, entries = 2, pollUs = 0): Parts {
  const ring = new FakeRing(entries, 65536);
  const device = new FakeDeviceQueue();
  const queue = new UringQueue(ring, {
    protocolVersion: ring.protocolVersion,
    poll: new PollStrategy(pollUs),
    device,
    watchDevice,
  });
  return { ring, device, queue };
}

function make({ capacity, maxPayload }: FixtureOptions): QueueFixture {
  const ring = new FakeRing(capacity, maxPayload);
  const device = new FakeDeviceQueue();
  const { protocolVersion } = ring;
  const poll = new PollStrategy(0);
  const options = {
    protocolVersion,
    poll,
    device,
    watchDevice: false,
  };
  const queue = new UringQueue(ring, options);
  return {
    queue,
    deliver: (message) => ring.deliver(message),
    replies() {
      // A reply goes out with the next call at the latest.
      queue.ready();
      return ring.replies.splice(0);
    },
    refuse() {},
    end: (reason) =>
      ring.end(reason === "aborted" ? ERRNO.ECONNABORTED : ERRNO.ENOTCONN),
    get closes() {
      return ring.closes;
    },
    dispose() {},
  };
}

queueSuite({ name: "UringQueue", make, hears: false });

Deno.test("UringQueue offers its entries at the first call", () => {
  const { ring, queue } = uringQueue();
  assertEquals(ring.enters, []);
  assertEquals(queue.next(false), null);
  assertEquals(ring.offered, [0, 1]);
  assertEquals(ring.watches, 0);
});

Deno.test("UringQueue sends replies with the call that fetches", () => {
  const { ring, queue } = uringQueue();
  queue.next(false);
  ring.deliver(readMessage(2n));
  ring.deliver(readMessage(4n));
  ring.enters.length = 0;
  for (const unique of [2n, 4n]) {
    const exchange = queue.next(false)!;
    assertEquals(exchange.request.unique, unique);
    exchange.reply.ok();
    assert(queue.reply(exchange));
  }
  assertEquals(ring.enters, [0]);
  assertEquals(ring.replies, []);
  assertEquals(queue.next(false), null);
  assertEquals(ring.enters, [0, 0]);
  assertEquals(ring.replies.map(parseReply), [plainReply(2n), plainReply(4n)]);
});

Deno.test("UringQueue sleeps in the call that sends replies", () => {
  const { ring, queue } = uringQueue();
  queue.next(false);
  ring.deliver(readMessage(2n));
  const first = queue.next(true)!;
  first.reply.ok();
  queue.reply(first);
  ring.enters.length = 0;
  ring.onSleep = () => ring.deliver(readMessage(4n));
  assertEquals(queue.next(true)?.request.unique, 4n);
  assertEquals(ring.enters, [1]);
});

Deno.test("UringQueue polls before it sleeps, but not after a batch", () => {
  const { ring, queue } = uringQueue(false, 3, 1000);
  const took = (unique: bigint) => {
    const exchange = queue.next(true)!;
    assertEquals(exchange.request.unique, unique);
    exchange.reply.ok();
    queue.reply(exchange);
  };
  queue.next(false);
  ring.deliver(readMessage(2n));
  took(2n);
  ring.deliver(readMessage(4n));
  ring.deliver(readMessage(6n));
  ring.enters.length = 0;
  took(4n);
  assertEquals(ring.enters, [0, 0]);
  took(6n);
  ring.enters.length = 0;
  ring.onSleep = () => ring.deliver(readMessage(8n));
  took(8n);
  assertEquals(ring.enters, [1]);
});

Deno.test("UringQueue repeats what was interrupted", () => {
  const { ring, queue } = uringQueue();
  queue.next(false);
  for (const errno of [ERRNO.EAGAIN, ERRNO.EINTR]) {
    ring.offered.length = 0;
    ring.complete(1, -errno);
    assertEquals(queue.next(false), null);
    assertEquals(ring.offered, [1]);
    assertEquals(queue.end, null);
  }
});

Deno.test("UringQueue fails at any other error", () => {
  const { ring, queue } = uringQueue();
  queue.next(false);
  ring.complete(0, -ERRNO.EINVAL);
  assertEquals(queue.next(false), null);
  assertEquals(queue.end?.reason, "failed");
  assertMatch(queue.end!.message, /offer an entry.*EINVAL/);
});

Deno.test("UringQueue fails if the ring cannot be used", () => {
  const { ring, queue } = uringQueue();
  ring.enterResult = -ERRNO.EBADF;
  assertEquals(queue.next(true), null);
  assertEquals(queue.end?.reason, "failed");
  assertMatch(queue.end!.message, /use the io_uring.*EBADF/);
});

Deno.test("UringQueue serves what comes by the device", () => {
  const { ring, device, queue } = uringQueue(true);
  queue.next(false);
  assertEquals(ring.watches, 1);
  const exchange = { request: {}, reply: {} } as unknown as Exchange;
  device.given.push(exchange);
  ring.complete(2, 1);
  assertEquals(queue.next(false), exchange);
  queue.reply(exchange);
  assertEquals(device.replied, [exchange]);
  assertEquals(queue.next(false), null);
  assertEquals(ring.watches, 2);
  device.end = { reason: "unmounted", message: "gone" };
  ring.complete(2, 1);
  assertEquals(queue.next(false), null);
  assertEquals(queue.end, device.end);
});

Deno.test("UringQueue passes the protocol version on to the device", () => {
  const { device, queue } = uringQueue();
  queue.protocolVersion = ProtocolVersion.BEFORE_INIT;
  assertEquals(device.protocolVersion, ProtocolVersion.BEFORE_INIT);
});

Deno.test("UringQueue sleeps while file calls alone are outstanding", async () => {
  const { ring, queue } = uringQueue();
  queue.next(false);
  ring.deliver(readMessage(2n));
  const exchange = await take(queue);
  const results: number[] = [];
  const call = queue.files.read(9, exchange.reply.data, 0, 512, 0);
  (call as Completion).deliverTo({
    complete(result) {
      results.push(result);
      exchange.reply.ok(result);
      queue.reply(exchange);
    },
    fail: unreachable,
  });
  assertEquals(queue.carried, 1);
  ring.onSleep = () => {
    if (results.length === 0) ring.complete(ring.fileCalls[0]!.tag, 512);
    else ring.deliver(readMessage(4n));
  };
  assertEquals(queue.next(true)?.request.unique, 4n);
  assertEquals(results, [512]);
  assertEquals(ring.replies.length, 1);
  assertEquals(queue.carried, 0);
});

Deno.test("UringQueue does not sleep while somebody's promise is outstanding", async () => {
  const { ring, queue } = uringQueue();
  queue.next(false);
  ring.deliver(readMessage(2n));
  await take(queue);
  assertEquals(queue.next(true), null);
  assertEquals(ring.enters.includes(1), false);
});

Deno.test("UringQueue submits file calls at once while ready() waits", async () => {
  const { ring, queue } = uringQueue();
  assertEquals(queue.next(false), null);
  const ready = queue.ready();
  queue.files.sync(9);
  assertEquals(ring.fileCalls.length, 1);
  ring.complete(ring.fileCalls[0]!.tag, 0);
  await ready;
  assertEquals(queue.next(false), null);
  assertEquals(queue.carried, 0);
});

Deno.test("UringQueue settles file calls before it closes", () => {
  const { ring, queue } = uringQueue();
  queue.next(false);
  let result = 1;
  (queue.files.sync(9) as Completion).deliverTo({
    complete: (value) => result = value,
    fail: unreachable,
  });
  ring.onSleep = () => ring.complete(ring.fileCalls[0]!.tag, 0);
  queue.close();
  assertEquals(result, 0);
  assertEquals([ring.closes, ring.releases], [1, 1]);
});

Deno.test("UringQueue keeps memory that somebody still has", async () => {
  const { ring, device, queue } = uringQueue();
  queue.next(false);
  ring.deliver(readMessage(2n));
  const exchange = await take(queue);
  queue.close();
  assertEquals([ring.closes, ring.releases, device.closes], [1, 0, 1]);
  exchange.reply.ok();
  assertEquals(queue.reply(exchange), false);
  assertEquals(ring.releases, 1);
});
