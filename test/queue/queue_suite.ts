/**
 * The behaviour that every `RequestQueue` has.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { ERRNO } from "../../src/base/errno.ts";
import { accessors } from "../../src/protocol/accessors.ts";
import { encodeStruct } from "../../src/protocol/codec.ts";
import type { RequestQueue } from "../../src/queue/request_queue.ts";
import { faults } from "./queue_suite_faults.ts";
import {
  forgetMessage,
  message,
  parseReply,
  plainReply,
  readMessage,
  take,
  turn,
  writeMessage,
} from "./messages.ts";

/** A queue, and the other side of it under the control of a test. */
export interface QueueFixture {
  /** The queue. */
  readonly queue: RequestQueue;
  /** Sends a request: bytes as read(2) would give them. */
  deliver(message: Uint8Array): void;
  /** The replies since the last call, whole. */
  replies(): Uint8Array[];
  /** Makes the other side refuse replies from now on. */
  refuse(): void;
  /** Ends the queue from the kernel side. */
  end(reason: "unmounted" | "aborted"): void;
  /** How often the queue was closed. */
  readonly closes: number;
  /** Ends what still runs. */
  dispose(): void | Promise<void>;
}

/** The options of a fixture. */
export interface FixtureOptions {
  /** Requests of the largest size that may be outstanding at once. */
  readonly capacity: number;
  /** Largest payload in bytes. */
  readonly maxPayload: number;
}

/** A kind of queue under test. */
export interface QueueKind {
  /** Its name in tests. */
  readonly name: string;
  /** Makes a queue whose memory is full of 0xa5. */
  readonly make: (options: FixtureOptions) => QueueFixture;
  /** Whether `reply()` can return that the kernel refused the reply. */
  readonly reportsDelivery: boolean;
}

/** One behaviour. */
export interface Behaviour {
  /** Completes the name of a test. */
  readonly name: string;
  /** Asserts it. */
  readonly fn: (fixture: QueueFixture) => void | Promise<void>;
  /** Whether only queues that report delivery have it. */
  readonly needsDelivery?: true;
}

const OPTIONS: FixtureOptions = { capacity: 3, maxPayload: 65536 };
const ODD_IDS = [2n ** 53n + 1n, 1n << 63n | 5n, 7n, 2n ** 64n - 1n];

/** Declares the tests of one kind of queue. */
export function queueSuite(kind: QueueKind): void {
  for (const { name, fn, needsDelivery } of [...BEHAVIOURS, ...faults]) {
    if (needsDelivery && !kind.reportsDelivery) continue;
    Deno.test(`${kind.name} ${name}`, async () => {
      const fixture = kind.make(OPTIONS);
      try {
        await fn(fixture);
      } finally {
        await fixture.dispose();
      }
    });
  }
}

const BEHAVIOURS: Behaviour[] = [
  { name: "returns requests in the order of their arrival", fn: givesInOrder },
  {
    name: "returns no more large requests than its capacity",
    fn: keepsCapacity,
  },
  { name: "keeps all 64 bits of an id", fn: keepsIds },
  { name: "accepts replies in any order", fn: takesAnyOrder },
  { name: "sends nothing for a request without reply", fn: sendsNoReply },
  { name: "sends READ data from where it was stored", fn: sendsReadData },
  { name: "returns WRITE data where the request says", fn: givesWriteData },
  {
    name: "returns the data of a NOTIFY_REPLY where the request says",
    fn: givesRetrievedData,
  },
  { name: "sends and receives the largest payload", fn: takesLargest },
  { name: "sends no byte that was not filled in", fn: sendsNoStaleBytes },
  { name: "shows no byte of an earlier request", fn: showsNoStaleBytes },
  { name: "wakes ready() for a request", fn: wakesForRequest },
  { name: "replies at once while ready() waits", fn: repliesWhileWaiting },
  { name: "waits for a reply while it is full", fn: waitsForRoom },
  {
    name: "reports a reply that was not accepted",
    fn: tellsUnwanted,
    needsDelivery: true,
  },
];

async function givesInOrder({ queue, deliver, replies }: QueueFixture) {
  for (const unique of [2n, 4n, 6n]) deliver(readMessage(unique));
  for (const unique of [2n, 4n, 6n]) {
    const exchange = await take(queue);
    assertEquals(exchange.request.unique, unique);
    exchange.reply.ok();
    assert(queue.reply(exchange));
  }
  await turn();
  assertEquals(
    replies().map(parseReply),
    [2n, 4n, 6n].map((u) => plainReply(u)),
  );
  assertEquals(queue.next(false), null);
  assertEquals(queue.end, null);
}

async function keepsCapacity({ queue, deliver }: QueueFixture) {
  for (const unique of [2n, 4n, 6n, 8n]) deliver(largeRead(unique));
  const taken = [await take(queue), await take(queue), await take(queue)];
  await turn();
  assertEquals(queue.next(false), null);
  assertEquals(taken.map(({ request }) => request.unique), [2n, 4n, 6n]);
  taken[1]!.reply.ok();
  queue.reply(taken[1]!);
  const fourth = await take(queue);
  assertEquals(fourth.request.unique, 8n);
  assertEquals(taken[0]!.request.unique, 2n);
  assertEquals(queue.next(false), null);
}

async function keepsIds({ queue, deliver, replies }: QueueFixture) {
  for (const unique of ODD_IDS) {
    deliver(readMessage(unique));
    const exchange = await take(queue);
    assertEquals(exchange.request.unique, unique);
    exchange.reply.error(ERRNO.EIO);
    queue.reply(exchange);
  }
  await turn();
  assertEquals(
    replies().map(parseReply),
    ODD_IDS.map((unique) => plainReply(unique, -ERRNO.EIO)),
  );
}

async function takesAnyOrder({ queue, deliver, replies }: QueueFixture) {
  for (const unique of [2n, 4n, 6n]) deliver(readMessage(unique));
  const taken = [await take(queue), await take(queue), await take(queue)];
  for (const at of [2, 0, 1]) {
    const exchange = taken[at]!;
    exchange.reply.data[0] = at;
    exchange.reply.ok(1);
    queue.reply(exchange);
  }
  await turn();
  const seen = replies().map(parseReply).map(({ unique, body }) => [
    unique,
    body[0],
  ]);
  assertEquals(seen, [[6n, 2], [2n, 0], [4n, 1]]);
}

async function sendsNoReply({ queue, deliver, replies }: QueueFixture) {
  // More requests than the capacity, so that each slot must be reused.
  for (let unique = 2n; unique <= 20n; unique += 2n) {
    deliver(forgetMessage(unique));
    const exchange = await take(queue);
    assertEquals(exchange.request.unique, unique);
    exchange.reply.none();
    assert(queue.reply(exchange));
  }
  await turn();
  assertEquals(replies(), []);
}

async function sendsReadData({ queue, deliver, replies }: QueueFixture) {
  deliver(readMessage(2n, 0, 4096));
  const exchange = await take(queue);
  const data = pattern(4096);
  exchange.reply.data.set(data);
  exchange.reply.ok(data.length);
  queue.reply(exchange);
  await turn();
  const [reply] = replies().map(parseReply);
  assertEquals(reply, { len: 16 + 4096, error: 0, unique: 2n, body: data });
}

async function givesWriteData({ queue, deliver }: QueueFixture) {
  const data = pattern(5000);
  deliver(writeMessage(2n, data));
  const { request } = await take(queue);
  assertEquals(request.data.slice(0, 5000), data);
  assertEquals(request.tailLength, 5000);
}

async function givesRetrievedData({ queue, deliver }: QueueFixture) {
  const fields = { offset: 8192n, size: 4096 };
  const body = encodeStruct("fuse_notify_retrieve_in", fields);
  const data = pattern(4096);
  deliver(message("NOTIFY_REPLY", { unique: 77n, body, tail: data }));
  const { request } = await take(queue);
  const { get } = accessors("fuse_notify_retrieve_in");
  assertEquals([get.offset(request.body), get.size(request.body)], [
    fields.offset,
    fields.size,
  ]);
  assertEquals(request.data.slice(0, 4096), data);
  assertEquals(request.tailLength, 4096);
}

async function takesLargest({ queue, deliver, replies }: QueueFixture) {
  const data = pattern(OPTIONS.maxPayload);
  deliver(writeMessage(2n, data));
  const exchange = await take(queue);
  assertEquals(exchange.request.data.slice(0, data.length), data);
  exchange.reply.error(ERRNO.EIO);
  queue.reply(exchange);
  deliver(readMessage(4n, 0, data.length));
  const second = await take(queue);
  second.reply.data.set(data);
  second.reply.ok(data.length);
  queue.reply(second);
  await turn();
  assertEquals(replies().map((bytes) => bytes.length), [16, 16 + data.length]);
}

async function sendsNoStaleBytes({ queue, deliver, replies }: QueueFixture) {
  deliver(readMessage(2n));
  const exchange = await take(queue);
  exchange.reply.data.fill(0xa5);
  exchange.reply.zeroed(8);
  exchange.reply.ok(8);
  queue.reply(exchange);
  await turn();
  const body = new Uint8Array(8);
  assertEquals(replies().map(parseReply), [
    { len: 24, error: 0, unique: 2n, body },
  ]);
}

async function showsNoStaleBytes({ queue, deliver }: QueueFixture) {
  // One slot after the other holds the long request, then the short one.
  for (let unique = 2n; unique <= 12n; unique += 4n) {
    deliver(writeMessage(unique, pattern(300)));
    const long = await take(queue);
    long.reply.error(ERRNO.EIO);
    queue.reply(long);
    deliver(writeMessage(unique + 2n, pattern(10)));
    const short = await take(queue);
    assertEquals(short.request.tail().slice(), pattern(10));
    assertEquals(short.request.length, 90);
    short.reply.error(ERRNO.EIO);
    queue.reply(short);
  }
}

async function wakesForRequest({ queue, deliver }: QueueFixture) {
  assertEquals(queue.next(false), null);
  let woken = false;
  const ready = queue.ready().then(() => woken = true);
  await turn();
  assertEquals(woken, false);
  deliver(readMessage(2n));
  await ready;
  assertEquals((await take(queue)).request.unique, 2n);
}

async function repliesWhileWaiting({ queue, deliver, replies }: QueueFixture) {
  deliver(readMessage(2n));
  const exchange = await take(queue);
  assertEquals(queue.next(false), null);
  const ready = queue.ready();
  exchange.reply.ok();
  queue.reply(exchange);
  await turn();
  assertEquals(replies().map(parseReply), [plainReply(2n)]);
  deliver(readMessage(4n));
  await ready;
}

async function waitsForRoom({ queue, deliver }: QueueFixture) {
  for (const unique of [2n, 4n, 6n, 8n]) deliver(largeRead(unique));
  const taken = [await take(queue), await take(queue), await take(queue)];
  assertEquals(queue.next(false), null);
  let woken = 0;
  const waits = [queue.ready(), queue.ready()];
  for (const wait of waits) wait.then(() => woken++);
  await turn();
  assertEquals(woken, 0);
  taken[0]!.reply.ok();
  queue.reply(taken[0]!);
  await Promise.all(waits);
  assertEquals((await take(queue)).request.unique, 8n);
}

async function tellsUnwanted({ queue, deliver, refuse }: QueueFixture) {
  deliver(readMessage(2n));
  const exchange = await take(queue);
  refuse();
  exchange.reply.ok();
  assertEquals(queue.reply(exchange), false);
}

/** A READ of the largest size. */
function largeRead(unique: bigint): Uint8Array {
  return readMessage(unique, 0, OPTIONS.maxPayload);
}

function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i * 7 + (i >> 8));
}
