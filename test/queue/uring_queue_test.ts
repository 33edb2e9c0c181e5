import { assert, assertEquals, assertMatch, unreachable } from "@std/assert";
import { ProtocolVersion } from "../../src/protocol/protocol_version.ts";
import { ERRNO } from "../../src/base/errno.ts";
import type { Completion } from "../../src/event/completion.ts";
import type { Exchange } from "../../src/protocol/exchange.ts";
import { PollStrategy } from "../../src/event/poll_strategy.ts";
import { RingEvents } from "../../src/event/ring_events.ts";
import { RingFileIo } from "../../src/event/ring_file_io.ts";
import type { QueueEnd, RequestQueue } from "../../src/queue/request_queue.ts";
import { UringQueue } from "../../src/queue/uring_queue.ts";
import { mistakesSuite } from "./mistakes_suite.ts";
import {
  type FixtureOptions,
  type QueueFixture,
  queueSuite,
} from "./queue_suite.ts";
import { FakeEntries, FakeFileSlots, FakeRing } from "./fake_ring.ts";
import { parseReply, plainReply, readMessage, take } from "./messages.ts";

/** The queue over /dev/fuse beside a ring. */
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
  readonly events: RingEvents;
  readonly entries: FakeEntries;
  readonly device: FakeDeviceQueue;
  readonly queue: UringQueue;
}

function uringQueue(
  { pollsDevice = false, count = 2, pollUs = 0, maxPayload = 65536 } = {},
): Parts {
  const ring = new FakeRing();
  const events = new RingEvents(ring, new PollStrategy(pollUs));
  const entries = new FakeEntries(ring, count, maxPayload);
  const device = new FakeDeviceQueue();
  const { protocolVersion } = entries;
  const options = { protocolVersion, device, pollsDevice };
  const queue = new UringQueue(events, entries, options);
  return { ring, events, entries, device, queue };
}

/** File I/O on the same ring. */
function fileIo({ ring, events }: Parts): [FakeFileSlots, RingFileIo] {
  const slots = new FakeFileSlots(ring);
  return [slots, new RingFileIo(events, slots)];
}

function make({ capacity, maxPayload }: FixtureOptions): QueueFixture {
  const parts = uringQueue({ count: capacity, maxPayload });
  const { ring, entries, queue } = parts;
  return {
    queue,
    deliver: (message) => entries.deliver(message),
    replies() {
      // A reply is sent by the next call at the latest.
      queue.ready();
      return entries.replies.splice(0);
    },
    refuse() {},
    end: (reason) =>
      entries.end(reason === "aborted" ? ERRNO.ECONNABORTED : ERRNO.ENOTCONN),
    get closes() {
      return ring.closes;
    },
    dispose() {},
  };
}

queueSuite({ name: "UringQueue", make, reportsDelivery: false });
mistakesSuite("UringQueue", make);

Deno.test("UringQueue offers its entries at the first call", () => {
  const { ring, entries, queue } = uringQueue();
  assertEquals(ring.enters, []);
  assertEquals(queue.next(false), null);
  assertEquals(entries.offered, [0, 1]);
  assertEquals(entries.polls, 0);
});

Deno.test("UringQueue sends replies with the call that fetches", () => {
  const { ring, entries, queue } = uringQueue();
  queue.next(false);
  entries.deliver(readMessage(2n));
  entries.deliver(readMessage(4n));
  ring.enters.length = 0;
  for (const unique of [2n, 4n]) {
    const exchange = queue.next(false)!;
    assertEquals(exchange.request.unique, unique);
    exchange.reply.ok();
    assert(queue.reply(exchange));
  }
  assertEquals(ring.enters, [0]);
  assertEquals(entries.replies, []);
  assertEquals(queue.next(false), null);
  assertEquals(ring.enters, [0, 0]);
  assertEquals(entries.replies.map(parseReply), [
    plainReply(2n),
    plainReply(4n),
  ]);
});

Deno.test("UringQueue sleeps in the call that sends replies", () => {
  const { ring, entries, queue } = uringQueue();
  queue.next(false);
  entries.deliver(readMessage(2n));
  const first = queue.next(true)!;
  first.reply.ok();
  queue.reply(first);
  ring.enters.length = 0;
  ring.onSleep = () => entries.deliver(readMessage(4n));
  assertEquals(queue.next(true)?.request.unique, 4n);
  assertEquals(ring.enters, [1]);
});

Deno.test("UringQueue polls before it sleeps, but not after a batch", () => {
  const { ring, entries, queue } = uringQueue({ count: 3, pollUs: 1000 });
  const took = (unique: bigint) => {
    const exchange = queue.next(true)!;
    assertEquals(exchange.request.unique, unique);
    exchange.reply.ok();
    queue.reply(exchange);
  };
  queue.next(false);
  entries.deliver(readMessage(2n));
  took(2n);
  entries.deliver(readMessage(4n));
  entries.deliver(readMessage(6n));
  ring.enters.length = 0;
  took(4n);
  assertEquals(ring.enters, [0, 0]);
  took(6n);
  ring.enters.length = 0;
  ring.onSleep = () => entries.deliver(readMessage(8n));
  took(8n);
  assertEquals(ring.enters, [1]);
});

Deno.test("UringQueue repeats an interrupted command", () => {
  const { entries, queue } = uringQueue();
  queue.next(false);
  for (const errno of [ERRNO.EAGAIN, ERRNO.EINTR]) {
    entries.offered.length = 0;
    entries.complete(1, -errno);
    assertEquals(queue.next(false), null);
    assertEquals(entries.offered, [1]);
    assertEquals(queue.end, null);
  }
});

Deno.test("UringQueue fails at any other error", () => {
  const { entries, queue } = uringQueue();
  queue.next(false);
  entries.complete(0, -ERRNO.EINVAL);
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

Deno.test("UringQueue takes requests from the device", () => {
  const { entries, device, queue } = uringQueue({ pollsDevice: true });
  queue.next(false);
  assertEquals(entries.polls, 1);
  const exchange = { request: {}, reply: {} } as unknown as Exchange;
  device.given.push(exchange);
  entries.complete(2, 1);
  assertEquals(queue.next(false), exchange);
  queue.reply(exchange);
  assertEquals(device.replied, [exchange]);
  assertEquals(queue.next(false), null);
  assertEquals(entries.polls, 2);
  device.end = { reason: "unmounted", message: "gone" };
  entries.complete(2, 1);
  assertEquals(queue.next(false), null);
  assertEquals(queue.end, device.end);
});

Deno.test("UringQueue passes on the protocol version to the device", () => {
  const { device, queue } = uringQueue();
  queue.protocolVersion = ProtocolVersion.BEFORE_INIT;
  assertEquals(device.protocolVersion, ProtocolVersion.BEFORE_INIT);
});

Deno.test("UringQueue returns from its sleep when file I/O has completed", () => {
  const parts = uringQueue();
  const { ring, events, entries, queue } = parts;
  const [slots, files] = fileIo(parts);
  queue.next(false);
  entries.deliver(readMessage(2n));
  const exchange = queue.next(false)!;
  const results: number[] = [];
  const call = files.read(9, exchange.reply.data, 0, 512, 0);
  (call as Completion).deliverTo({
    complete(result) {
      results.push(result);
      exchange.reply.ok(result);
      queue.reply(exchange);
    },
    fail: unreachable,
  });
  assertEquals(events.inFlight, 1);
  ring.onSleep = () => slots.complete(512);
  assertEquals(queue.next(true), null);
  assertEquals([results, events.hasCompleted], [[], true]);
  events.settle();
  assertEquals([results, events.hasCompleted], [[512], false]);
  assertEquals(events.inFlight, 0);
  ring.onSleep = () => entries.deliver(readMessage(4n));
  assertEquals(queue.next(true)?.request.unique, 4n);
  assertEquals(entries.replies.length, 1);
});

Deno.test("UringQueue submits file I/O at once while ready() waits", async () => {
  const parts = uringQueue();
  const { events, queue } = parts;
  const [slots, files] = fileIo(parts);
  assertEquals(queue.next(false), null);
  const ready = queue.ready();
  files.sync(9);
  assertEquals(slots.calls.length, 1);
  slots.complete(0);
  await ready;
  assertEquals(queue.next(false), null);
  events.settle();
  assertEquals(events.inFlight, 0);
});

Deno.test("UringQueue settles file I/O before it closes", () => {
  const parts = uringQueue();
  const { ring, entries, queue } = parts;
  const [slots, files] = fileIo(parts);
  queue.next(false);
  let result = 1;
  (files.sync(9) as Completion).deliverTo({
    complete: (value) => result = value,
    fail: unreachable,
  });
  ring.onSleep = () => slots.complete(0);
  queue.close();
  assertEquals(result, 0);
  assertEquals([ring.closes, entries.releases], [1, 1]);
});

Deno.test("UringQueue keeps memory of requests that are outstanding", async () => {
  const { ring, entries, device, queue } = uringQueue();
  queue.next(false);
  entries.deliver(readMessage(2n));
  const exchange = await take(queue);
  queue.close();
  assertEquals([ring.closes, entries.releases, device.closes], [1, 0, 1]);
  exchange.reply.ok();
  assertEquals(queue.reply(exchange), false);
  assertEquals(entries.releases, 1);
});

Deno.test("UringQueue keeps memory that file I/O may still write to", () => {
  const parts = uringQueue();
  const { ring, entries, queue } = parts;
  const [, files] = fileIo(parts);
  queue.next(false);
  const results: number[] = [];
  (files.sync(9) as Completion).deliverTo({
    complete: (value) => void results.push(value),
    fail: unreachable,
  });
  ring.enterResult = -ERRNO.EBADF;
  queue.close();
  assertEquals(results, [-ERRNO.ECANCELED]);
  assertEquals([ring.closes, entries.releases], [1, 0]);
});

Deno.test("UringQueue counts filled entries across the end of its buffer", () => {
  const { entries, queue } = uringQueue({ count: 3 });
  queue.next(false);
  for (let unique = 2n; unique < 40n; unique += 4n) {
    entries.deliver(readMessage(unique));
    entries.deliver(readMessage(unique + 2n));
    const taken = [queue.next(false)!, queue.next(false)!];
    assertEquals(taken.map(({ request }) => request.unique), [
      unique,
      unique + 2n,
    ]);
    for (const exchange of taken) {
      exchange.reply.ok();
      queue.reply(exchange);
    }
  }
});
