import { assertEquals } from "@std/assert";
import { encodeStruct } from "../../src/protocol/codec.ts";
import { ERRNO } from "../../src/base/errno.ts";
import { FUSE_NAME_MAX } from "../../src/protocol/flags.ts";
import {
  encodeNotification,
  type NotificationName,
  type NotificationParts,
  NOTIFICATIONS,
} from "../../src/protocol/notifications.ts";
import { OPCODES } from "../../src/protocol/opcodes.ts";
import { ReplyChecker } from "../../sim/oracle/reply_checker.ts";
import { judgeNotification } from "../../sim/kernel/notify_rules.ts";
import { manual, replyBytes, takeAll } from "./_fixtures.ts";

const HEADER_SIZE = 16;
const { EINVAL, ENAMETOOLONG, ENOENT, ENOTDIR } = ERRNO;

/** The bytes after the header of a whole notification. */
function bodyOf<N extends NotificationName>(
  notification: N,
  parts: NotificationParts<N> = {},
): Uint8Array {
  return encodeNotification(notification, parts).subarray(HEADER_SIZE);
}

const DATA = new Uint8Array(12).fill(7);

/** Whole notifications to a mount of one file: [name, body, errno]. */
const WHOLE: [NotificationName, Uint8Array, number][] = [
  ["POLL", bodyOf("POLL", { body: { kh: 5n } }), 0],
  ["INVAL_INODE", bodyOf("INVAL_INODE", { body: { ino: 1n } }), 0],
  ["INVAL_INODE", bodyOf("INVAL_INODE", { body: { ino: 2n } }), ENOENT],
  [
    "INVAL_ENTRY",
    bodyOf("INVAL_ENTRY", { body: { parent: 1n }, name: "a" }),
    ENOTDIR,
  ],
  [
    "INVAL_ENTRY",
    bodyOf("INVAL_ENTRY", { body: { parent: 2n }, name: "a" }),
    ENOENT,
  ],
  ["STORE", bodyOf("STORE", { body: { nodeid: 1n }, data: DATA }), 0],
  ["STORE", bodyOf("STORE", { body: { nodeid: 3n }, data: DATA }), ENOENT],
  ["RETRIEVE", bodyOf("RETRIEVE", { body: { nodeid: 1n } }), 0],
  ["RETRIEVE", bodyOf("RETRIEVE", { body: { nodeid: 3n } }), ENOENT],
  [
    "DELETE",
    bodyOf("DELETE", { body: { parent: 1n, child: 2n }, name: "a" }),
    ENOTDIR,
  ],
  [
    "DELETE",
    bodyOf("DELETE", { body: { parent: 9n, child: 2n }, name: "a" }),
    ENOENT,
  ],
  ["RESEND", bodyOf("RESEND"), 0],
  ["INC_EPOCH", bodyOf("INC_EPOCH"), 0],
  ["PRUNE", bodyOf("PRUNE", { nodeids: [2n, 3n] }), 0],
  ["PRUNE", bodyOf("PRUNE"), 0],
];

Deno.test("judgeNotification() answers each notification as Linux does", () => {
  for (const [notification, body, errno] of WHOLE) {
    const { code } = NOTIFICATIONS[notification];
    assertEquals(judgeNotification(code, body), errno, notification);
  }
  const known = new Set(WHOLE.map(([notification]) => notification));
  assertEquals(known.size, Object.keys(NOTIFICATIONS).length);
});

Deno.test("judgeNotification() refuses every wrong length", () => {
  for (const [notification, body, errno] of WHOLE) {
    const { code } = NOTIFICATIONS[notification];
    const longer = new Uint8Array(body.length + 1);
    longer.set(body);
    // Bytes after the header of these two are ignored.
    const isBare = notification === "RESEND" || notification === "INC_EPOCH";
    const wrong = isBare ? errno : EINVAL;
    assertEquals(judgeNotification(code, longer), wrong, notification);
    for (let length = 0; length < body.length; length++) {
      const cut = body.subarray(0, length);
      assertEquals(judgeNotification(code, cut), EINVAL, notification);
    }
  }
  assertEquals(judgeNotification(0, DATA), EINVAL);
  assertEquals(judgeNotification(77, DATA), EINVAL);
});

Deno.test("judgeNotification() checks a name's length before the message's", () => {
  const { code } = NOTIFICATIONS.INVAL_ENTRY;
  const of = (namelen: number, parent = 2n) =>
    encodeStruct("fuse_notify_inval_entry_out", { parent, namelen });
  assertEquals(judgeNotification(code, of(FUSE_NAME_MAX + 1)), ENAMETOOLONG);
  assertEquals(judgeNotification(code, of(FUSE_NAME_MAX)), EINVAL);
});

Deno.test("judgeNotification() requires no NUL after a name, as Linux does", () => {
  const body = bodyOf("DELETE", { body: { parent: 2n }, name: "abc" });
  body[body.length - 1] = 0x64;
  assertEquals(judgeNotification(NOTIFICATIONS.DELETE.code, body), ENOENT);
});

Deno.test("judgeNotification() accepts any offset", () => {
  const body = bodyOf("RETRIEVE", { body: { nodeid: 1n } });
  body.fill(255, 16, 28);
  assertEquals(judgeNotification(NOTIFICATIONS.RETRIEVE.code, body), 0);
});

Deno.test("SimKernel answers RETRIEVE with a NOTIFY_REPLY of that id", async () => {
  const checker = new ReplyChecker();
  const { kernel, queues } = await manual();
  const message = encodeNotification("RETRIEVE", {
    body: { ["notify_unique"]: 77n, nodeid: 1n, offset: 4096n, size: 512 },
  });
  assertEquals(await kernel.notifier().notify(message), 0);
  assertEquals([kernel.outstanding, kernel.pending], [1, 1]);
  assertEquals(checker.check(kernel), null);
  const { request } = takeAll(queues[0]!)[0]!;
  assertEquals(request.opcode, OPCODES.NOTIFY_REPLY.opcode);
  assertEquals([request.unique, request.nodeid], [77n, 1n]);
  assertEquals(kernel.outstanding, 0);
  assertEquals(checker.checkEnd(kernel), null);
});

Deno.test("SimKernel reports wrong notifications, not late ones", async () => {
  const { kernel } = await manual();
  for (const [notification, body] of WHOLE) {
    const { code } = NOTIFICATIONS[notification];
    if (notification === "RETRIEVE") continue;
    await kernel.notifier().notify(replyBytes(0n, code, body));
  }
  const errnos = kernel.violations.map(({ errno }) => errno);
  assertEquals(errnos, [ENOTDIR, ENOTDIR]);
});
