/**
 * The room of a `DeviceQueue`: where outstanding requests are kept, how much
 * memory they take, and what happens when it is used up.
 */
import { ERRNO } from "../../src/base/errno.ts";
import { assert, assertEquals } from "@std/assert";
import { DeviceEvents } from "../../src/event/device_events.ts";
import { encodeStruct } from "../../src/protocol/codec.ts";
import type { Exchange } from "../../src/protocol/exchange.ts";
import type { OpcodeName } from "../../src/protocol/opcodes.ts";
import { ProtocolVersion } from "../../src/protocol/protocol_version.ts";
import { DeviceQueue } from "../../src/queue/device_queue.ts";
import type { MessageMemory } from "../../src/queue/message_memory.ts";
import { QueueStatistics } from "../../src/queue/queue_statistics.ts";
import { sharedRoom } from "../../src/queue/shared_room.ts";
import { largeSlotSize } from "../../src/queue/slot.ts";
import { queueMemoryMin } from "../../src/queue/slot_pool.ts";
import { FakeDevice } from "./fake_device.ts";
import {
  forgetMessage,
  message,
  parseReply,
  readMessage,
  turn,
  writeMessage,
} from "./messages.ts";

const MIB = 1 << 20;
const LARGE = largeSlotSize(MIB);

/** Memory that is counted, and full of 0xa5. */
class CountedMemory {
  inUse = 0;
  most = 0;
  readonly limit: number;

  constructor(limit: number = Infinity) {
    this.limit = limit;
  }

  allocate(size: number): MessageMemory | null {
    if (this.inUse + size > this.limit) return null;
    this.inUse += size;
    this.most = Math.max(this.most, this.inUse);
    const bytes = new Uint8Array(size).fill(0xa5);
    const release = () => {
      this.inUse -= size;
      // What is still used shows as an invalid message.
      bytes.fill(0);
    };
    return { bytes, release };
  }
}

function setUp(
  memoryMax: number,
  { memory = new CountedMemory(), statistics = QueueStatistics.create(1) } = {},
  index = 0,
) {
  const device = new FakeDevice();
  const queue = new DeviceQueue(device, {
    maxPayload: MIB,
    memoryMax,
    allocate: (size) => memory.allocate(size),
    protocolVersion: ProtocolVersion.NEWEST,
    shared: sharedRoom(statistics, index),
  });
  return { device, queue, memory };
}

/** Takes requests until the queue returns none. */
function takeAll(queue: DeviceQueue): Exchange[] {
  const taken = [];
  for (;;) {
    const exchange = queue.next(false);
    if (exchange === null) return taken;
    taken.push(exchange);
  }
}

function pushReads(device: FakeDevice, count: number, size: number): void {
  for (let i = 1; i <= count; i++) {
    device.push(readMessage(BigInt(2 * i), i * size, size));
  }
}

const lock = encodeStruct("fuse_lk_in", { owner: 7n });

function lockMessage(unique: bigint): Uint8Array {
  return message("SETLKW", { unique, body: lock });
}

function answerAll(queue: DeviceQueue, taken: Exchange[]): void {
  for (const exchange of taken.splice(0)) {
    exchange.reply.error(5);
    assert(queue.reply(exchange));
  }
}

Deno.test("requests that are answered at once take one slot and no copy", () => {
  const { device, queue, memory } = setUp(64 * MIB);
  queue.prepare(1);
  const atStart = memory.inUse;
  const seen = new Set<Exchange>();
  for (let i = 1; i <= 100; i++) {
    device.push(readMessage(BigInt(2 * i), 0, MIB));
    const exchange = queue.next(false)!;
    seen.add(exchange);
    exchange.reply.ok(MIB);
    queue.reply(exchange);
  }
  assertEquals(seen.size, 1);
  assertEquals(memory.inUse, atStart);
});

Deno.test("300 outstanding READs of 4 KiB take about 3 MiB more", () => {
  const { device, queue, memory } = setUp(64 * MIB);
  queue.prepare(2);
  const atStart = memory.inUse;
  pushReads(device, 300, 4096);
  const taken = takeAll(queue);
  assertEquals(taken.length, 300);
  const more = (memory.inUse - atStart) / MIB;
  assert(more < 4, `${more} MiB`);
  taken.forEach(({ request, reply }, i) => {
    assertEquals(request.unique, BigInt(2 * (i + 1)));
    reply.data.fill(i, 0, 4096);
    reply.ok(4096);
  });
  for (const exchange of taken) assert(queue.reply(exchange));
  device.written.map(parseReply).forEach(({ unique, body }, i) => {
    assertEquals(unique, BigInt(2 * (i + 1)));
    assertEquals(body, new Uint8Array(4096).fill(i));
  });
});

Deno.test("requests that are moved keep all of their bytes", () => {
  const data = (size: number) => Uint8Array.from({ length: size }, (_, i) => i);
  const messages = [
    ...[0, 1, 511, 512, 513, 4096, 5000, 65536, 65537, MIB].map((size, i) =>
      writeMessage(BigInt(2 * i + 2), data(size), 77)
    ),
    message("SETXATTR", {
      unique: 100n,
      body: encodeStruct("fuse_setxattr_in", { size: 3 }),
      tail: new Uint8Array([97, 0, 1, 2, 3]),
    }),
    message("RENAME2", {
      unique: 102n,
      body: encodeStruct("fuse_rename2_in", { newdir: 9n }),
      tail: new Uint8Array([97, 0, 98, 0]),
    }),
    lockMessage(104n),
  ];
  const { device, queue } = setUp(64 * MIB);
  device.push(readMessage(200n));
  device.push(readMessage(202n));
  for (const each of messages) device.push(each);
  const taken = takeAll(queue).slice(2);
  assertEquals(taken.map(({ request }) => request.copy()), messages);
});

Deno.test("memory stays within the bound under any mixture of requests", () => {
  for (const max of [queueMemoryMin(MIB), 5 * MIB, 16 * MIB]) {
    const { device, queue, memory } = setUp(max);
    let seed = 1;
    const random = (below: number) =>
      (seed = (seed * 48271) % 2147483647) % below;
    const open: Exchange[] = [];
    const answered = new Set<bigint>();
    for (let i = 1; i <= 3000; i++) {
      const unique = BigInt(2 * i);
      const size = 1 << random(21);
      const kind = random(3);
      if (kind === 0) device.push(writeMessage(unique, new Uint8Array(size)));
      else if (kind === 1) device.push(readMessage(unique, 0, size));
      else device.push(lockMessage(unique));
      open.push(...takeAll(queue));
      while (open.length > 0 && random(8) < 3) {
        const [exchange] = open.splice(random(open.length), 1);
        answered.add(exchange!.request.unique);
        exchange!.reply.error(ERRNO.EIO);
        queue.reply(exchange!);
      }
    }
    while (answered.size < 3000) {
      open.push(...takeAll(queue));
      const exchange = open.pop()!;
      answered.add(exchange.request.unique);
      exchange.reply.error(ERRNO.EIO);
      queue.reply(exchange);
    }
    assert(memory.most <= max, `${memory.most} of ${max}`);
    assert(memory.most > max - 2 * MIB, `${memory.most} of ${max}`);
  }
});

Deno.test("room that large requests took serves small ones afterwards", () => {
  const { device, queue } = setUp(16 * MIB);
  pushReads(device, 12, MIB);
  const large = takeAll(queue);
  assertEquals(large.length, 12);
  answerAll(queue, large);
  pushReads(device, 1000, 4096);
  const small = takeAll(queue);
  assertEquals(small.length, 1000);
  answerAll(queue, small);
  pushReads(device, 12, MIB);
  assertEquals(takeAll(queue).length, 12);
});

Deno.test("without room, urgent requests are returned and others wait", async () => {
  const { device, queue } = setUp(queueMemoryMin(MIB));
  pushReads(device, 40, MIB);
  const taken = takeAll(queue);
  assert(taken.length < 3, `${taken.length}`);
  const urgent: [OpcodeName, Uint8Array][] = [
    ["INTERRUPT", encodeStruct("fuse_interrupt_in", { unique: 2n })],
    ["RELEASE", encodeStruct("fuse_release_in", { fh: 3n })],
    ["FLUSH", encodeStruct("fuse_flush_in", { fh: 3n })],
    ["DESTROY", new Uint8Array()],
  ];
  for (const [name, body] of urgent) {
    let isReady = false;
    queue.ready().then(() => isReady = true);
    device.push(message(name, { unique: 101n, body }));
    await turn();
    assert(isReady, name);
    const exchange = queue.next(false)!;
    assertEquals(exchange.request.unique, 101n, name);
    exchange.reply.ok();
    queue.reply(exchange);
  }
  device.push(forgetMessage(103n));
  const forget = queue.next(false)!;
  assertEquals(forget.request.unique, 103n);
  forget.reply.none();
  queue.reply(forget);
  // A reply makes room for the request that has waited longest.
  const order = taken.map(({ request }) => request.unique);
  while (order.length < 40) {
    answerAll(queue, taken);
    taken.push(...takeAll(queue));
    order.push(...taken.map(({ request }) => request.unique));
  }
  assertEquals(order, Array.from({ length: 40 }, (_, i) => BigInt(2 * i + 2)));
});

Deno.test("an INTERRUPT of a request that waits for room waits too", () => {
  const { device, queue } = setUp(queueMemoryMin(MIB));
  pushReads(device, 6, MIB);
  const taken = takeAll(queue);
  const body = encodeStruct("fuse_interrupt_in", { unique: 12n });
  device.push(message("INTERRUPT", { unique: 13n, body }));
  assertEquals(queue.next(false), null);
  const order = taken.map(({ request }) => request.unique);
  while (order.length < 7) {
    answerAll(queue, taken);
    taken.push(...takeAll(queue));
    order.push(...taken.map(({ request }) => request.unique));
  }
  assertEquals(order, [2n, 4n, 6n, 8n, 10n, 12n, 13n]);
});

Deno.test("a small request passes large ones that wait for room", () => {
  const { device, queue } = setUp(queueMemoryMin(MIB));
  pushReads(device, 40, MIB);
  takeAll(queue);
  device.push(message("GETATTR", {
    unique: 900n,
    body: encodeStruct("fuse_getattr_in", {}),
  }));
  assertEquals(queue.next(false)?.request.unique, 900n);
});

Deno.test("a queue without room leaves requests to one that has room", async () => {
  const statistics = QueueStatistics.create(2);
  const [first, second] = [0, 1].map((index) =>
    setUp(queueMemoryMin(MIB), { statistics }, index)
  );
  pushReads(first!.device, 40, MIB);
  const taken = takeAll(first!.queue);
  const left = first!.device.pending.length;
  assert(left > 35, `${left}`);
  first!.device.push(lockMessage(900n));
  assertEquals(first!.queue.next(false), null);
  let checks = 0;
  for (let i = 0; i < 3; i++) await first!.queue.ready().then(() => checks++);
  assertEquals([checks, first!.device.pending.length], [3, left + 1]);
  // When no queue has room, each reads.
  pushReads(second!.device, 40, MIB);
  const others = takeAll(second!.queue);
  assertEquals(second!.device.pending.length, 0);
  assertEquals(first!.queue.next(false)?.request.unique, 900n);
  // A queue that has ended does not count, nor does a reply elsewhere.
  answerAll(second!.queue, others);
  assertEquals(statistics.queues.map(({ hasRoom }) => hasRoom), [false, false]);
  answerAll(first!.queue, taken);
  second!.queue.close();
  assertEquals(statistics.queues[1]!.hasRoom, false);
});

Deno.test("a queue that is refused more memory serves with what it has", () => {
  const memory = new CountedMemory(2 * LARGE + 300_000);
  const { device, queue } = setUp(64 * MIB, { memory });
  pushReads(device, 20, MIB);
  const taken = takeAll(queue);
  const order = taken.map(({ request }) => request.unique);
  while (order.length < 20) {
    answerAll(queue, taken);
    taken.push(...takeAll(queue));
    assert(taken.length > 0);
    order.push(...taken.map(({ request }) => request.unique));
  }
  assertEquals(order.length, 20);
});

Deno.test("a closed queue keeps memory that the kernel may still write to", () => {
  const device = new FakeDevice();
  const memory = new CountedMemory();
  const events = new DeviceEvents(device);
  Object.defineProperty(events, "hasLostOperations", { value: true });
  const allocate = (size: number) => memory.allocate(size);
  const queue = new DeviceQueue(device, { maxPayload: MIB, allocate, events });
  queue.prepare(1);
  const before = memory.inUse;
  queue.close();
  assertEquals(memory.inUse, before);
});

Deno.test("a closed queue gives its memory back after the last reply", () => {
  const { device, queue, memory } = setUp(64 * MIB);
  pushReads(device, 3, MIB);
  const taken = takeAll(queue);
  queue.close();
  const before = memory.inUse;
  assert(before > 0);
  for (const exchange of taken) {
    assertEquals(memory.inUse, before);
    exchange.reply.ok(MIB);
    assertEquals(queue.reply(exchange), false);
  }
  assertEquals(memory.inUse, 0);
});
