/**
 * The behaviour of every `RequestQueue` with broken messages and at its end.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { encodeStruct } from "../../src/protocol/codec.ts";
import { ERRNO } from "../../src/base/errno.ts";
import type { Behaviour, QueueFixture } from "./queue_suite.ts";
import {
  message,
  parseReply,
  plainReply,
  readMessage,
  take,
  turn,
} from "./messages.ts";

/** These behaviours. */
export const faults: Behaviour[] = [
  { name: "answers bad requests itself", fn: answersBadRequests },
  { name: "fails at a message shorter than a header", fn: failsAtShortHeader },
  { name: "fails at a message of the wrong length", fn: failsAtWrongLength },
  {
    name: "ends as the mount does",
    fn: (fixture) => endsWith(fixture, "unmounted"),
  },
  {
    name: "ends as the connection does",
    fn: (fixture) => endsWith(fixture, "aborted"),
  },
  { name: "accepts late replies after its end", fn: survivesLateReply },
  { name: "closes once", fn: closesOnce },
  { name: "wakes ready() of a full queue when it closes", fn: wakesAtClose },
];

async function answersBadRequests({ queue, deliver, replies }: QueueFixture) {
  const write = encodeStruct("fuse_write_in", { size: 100 });
  const bad: [Uint8Array, number][] = [
    [message(999, { unique: 2n }), ERRNO.ENOSYS],
    [message("READ", { unique: 4n, body: new Uint8Array(8) }), ERRNO.EINVAL],
    [
      message("WRITE", { unique: 6n, body: write, tail: new Uint8Array(99) }),
      ERRNO.EINVAL,
    ],
    [
      message("LOOKUP", { unique: 8n, tail: new Uint8Array([97]) }),
      ERRNO.EINVAL,
    ],
  ];
  for (const [bytes] of bad) deliver(bytes);
  deliver(readMessage(10n));
  const exchange = await take(queue);
  assertEquals(exchange.request.unique, 10n);
  await turn();
  assertEquals(
    replies().map(parseReply),
    bad.map(([, errno], i) => plainReply(BigInt(2 * i + 2), -errno)),
  );
  assertEquals(queue.end, null);
}

async function failsAtShortHeader({ queue, deliver, replies }: QueueFixture) {
  deliver(readMessage(2n).slice(0, 39));
  await fails(queue);
  assertMatch(queue.end!.message, /39/);
  assertEquals(replies(), []);
}

async function failsAtWrongLength({ queue, deliver, replies }: QueueFixture) {
  deliver(message("STATFS", { unique: 2n, length: 41 }));
  await fails(queue);
  assertMatch(queue.end!.message, /41/);
  assertEquals(replies(), []);
}

async function fails(queue: QueueFixture["queue"]) {
  for (let i = 0; i < 10 && queue.end === null; i++) {
    assertEquals(queue.next(false), null);
    if (queue.end === null) await queue.ready();
  }
  assertEquals(queue.end?.reason, "failed");
  assertEquals(queue.next(false), null);
  await queue.ready();
}

async function endsWith(
  { queue, end }: QueueFixture,
  reason: "unmounted" | "aborted",
) {
  assertEquals(queue.next(false), null);
  const ready = queue.ready();
  end(reason);
  await ready;
  assertEquals(queue.next(false), null);
  assertEquals(queue.end?.reason, reason);
  await queue.ready();
  assertEquals(queue.next(true), null);
}

async function survivesLateReply({ queue, deliver, end }: QueueFixture) {
  deliver(readMessage(2n));
  const exchange = await take(queue);
  end("unmounted");
  assertEquals(queue.next(false), null);
  exchange.reply.ok();
  assertEquals(queue.reply(exchange), false);
}

async function closesOnce(fixture: QueueFixture) {
  const { queue, deliver } = fixture;
  deliver(readMessage(2n));
  const exchange = await take(queue);
  queue.close();
  queue.close();
  assertEquals(fixture.closes, 1);
  assertEquals(queue.end?.reason, "closed");
  assertEquals(queue.next(false), null);
  assertEquals(queue.next(true), null);
  await queue.ready();
  exchange.reply.ok();
  assertEquals(queue.reply(exchange), false);
}

async function wakesAtClose({ queue, deliver }: QueueFixture) {
  for (const unique of [2n, 4n, 6n, 8n]) {
    deliver(readMessage(unique, 0, 65536));
    if (unique < 8n) await take(queue);
  }
  assertEquals(queue.next(false), null);
  const ready = queue.ready();
  queue.close();
  await ready;
  assertEquals(queue.end?.reason, "closed");
}
