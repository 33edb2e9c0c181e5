import { assertEquals } from "@std/assert";
import { encodeStruct } from "../../src/protocol/codec.ts";
import { ERRNO } from "../../src/base/errno.ts";
import { FUSE_NOTIFY } from "../../src/protocol/flags.ts";
import type { SimCall } from "../../sim/kernel/call.ts";
import type { SimKernel } from "../../sim/vfs/sim_kernel.ts";
import { manual, readCall, replyBytes, takeAll } from "./_fixtures.ts";

const BODY = new Uint8Array(512).fill(1);
const WRITE: SimCall = {
  opcode: "WRITE",
  body: encodeStruct("fuse_write_in", { size: 4 }),
  tail: new Uint8Array(4),
};

/** Two queues; the first has taken one request, whose id is 4. */
async function taken(call: SimCall = readCall()) {
  const { kernel, queues } = await manual({ queues: 2 });
  const result = kernel.call(call);
  const [exchange] = takeAll(queues[0]!);
  assertEquals(exchange!.request.unique, 4n);
  return { kernel, result, exchange: exchange!, queues };
}

function errnos({ violations }: SimKernel): number[] {
  return violations.map(({ errno }) => errno);
}

/** Replies that leave the request as it was: [what, queue, bytes, errno]. */
const REFUSED: [string, number, Uint8Array, number][] = [
  ["without a whole header", 0, new Uint8Array(15), ERRNO.EINVAL],
  ["whose length is too large", 0, replyBytes(4n, 0, BODY, 600), ERRNO.EINVAL],
  ["whose length is too small", 0, replyBytes(4n, 0, BODY, 16), ERRNO.EINVAL],
  ["with a positive error", 0, replyBytes(4n, 5), ERRNO.EINVAL],
  ["with error -512", 0, replyBytes(4n, -512), ERRNO.EINVAL],
  ["to an unknown id", 0, replyBytes(6n, 0, BODY), ERRNO.ENOENT],
  ["on another queue", 1, replyBytes(4n, 0, BODY), ERRNO.ENOENT],
  ["to an INTERRUPT, with a body", 0, replyBytes(5n, 0, BODY), ERRNO.EINVAL],
  // The first error in the kernel's order counts.
  ["to an unknown id with a bad error", 1, replyBytes(4n, 5), ERRNO.EINVAL],
  [
    "to an unknown id with a bad length",
    1,
    replyBytes(4n, 0, BODY, 9),
    ERRNO.EINVAL,
  ],
];

for (const [what, queue, bytes, errno] of REFUSED) {
  Deno.test(`SimKernel refuses a reply ${what} and waits on`, async () => {
    const { kernel, result } = await taken();
    assertEquals(kernel.write(queue, bytes), -errno);
    assertEquals(errnos(kernel), [errno]);
    assertEquals(kernel.violations[0]!.kind, "refused reply");
    assertEquals(kernel.violations[0]!.queue, queue);
    assertEquals(kernel.outstanding, 1);
    assertEquals(kernel.write(0, replyBytes(4n, 0, BODY)), 528);
    assertEquals(await result, { errno: 0, body: BODY });
  });
}

/** Replies that end the request with EIO: [what, request, bytes]. */
const FAILED: [string, SimCall, Uint8Array][] = [
  ["longer than requested", readCall(511), replyBytes(4n, 0, BODY)],
  ["with an error and a body", readCall(), replyBytes(4n, -5, BODY)],
  ["too short for its struct", WRITE, replyBytes(4n, 0, new Uint8Array(4))],
  ["too long for its struct", WRITE, replyBytes(4n, 0, new Uint8Array(9))],
  ["without its struct", WRITE, replyBytes(4n, 0)],
  [
    "with a body where none is expected",
    { opcode: "FLUSH", body: encodeStruct("fuse_flush_in") },
    replyBytes(4n, 0, new Uint8Array(1)),
  ],
  [
    "too short for the size of a value",
    {
      opcode: "GETXATTR",
      body: encodeStruct("fuse_getxattr_in"),
      tail: new TextEncoder().encode("user.a\0"),
    },
    replyBytes(4n, 0, new Uint8Array(4)),
  ],
];

for (const [what, call, bytes] of FAILED) {
  Deno.test(`SimKernel ends a request with EIO at a reply ${what}`, async () => {
    const { kernel, result } = await taken(call);
    assertEquals(kernel.write(0, bytes), -ERRNO.EINVAL);
    assertEquals((await result).errno, ERRNO.EIO);
    assertEquals(errnos(kernel), [ERRNO.EINVAL]);
    assertEquals(kernel.outstanding, 0);
  });
}

Deno.test("SimKernel accepts a short READ, an empty one, and error -511", async () => {
  for (const size of [0, 1, 511, 512]) {
    const { kernel, result } = await taken();
    const reply = replyBytes(4n, 0, BODY.subarray(0, size));
    assertEquals(kernel.write(0, reply), 16 + size);
    assertEquals((await result).body.length, size);
    assertEquals(kernel.violations, []);
  }
  const { kernel, result } = await taken();
  assertEquals(kernel.write(0, replyBytes(4n, -511)), 16);
  assertEquals((await result).errno, 511);
});

Deno.test("SimKernel refuses a second reply", async () => {
  const { kernel, exchange, queues } = await taken();
  exchange.reply.ok();
  assertEquals(queues[0]!.reply(exchange), true);
  assertEquals(kernel.write(0, replyBytes(4n, 0)), -ERRNO.ENOENT);
  assertEquals(errnos(kernel), [ERRNO.ENOENT]);
});

Deno.test("SimKernel reports a request that is given back unanswered", async () => {
  const { kernel, exchange, queues } = await taken();
  exchange.reply.reset();
  queues[0]!.reply(exchange);
  assertEquals(kernel.violations.map(({ message }) => message), [
    "Queue 0: withheld reply for 4: READ was given back without a reply",
  ]);
  assertEquals(kernel.outstanding, 1);
});

Deno.test("SimKernel expects no reply to FORGET", async () => {
  const { kernel, result, exchange, queues } = await taken({
    opcode: "FORGET",
    body: encodeStruct("fuse_forget_in", { nlookup: 1n }),
  });
  await result;
  exchange.reply.none();
  assertEquals(queues[0]!.reply(exchange), true);
  assertEquals(kernel.violations, []);
  assertEquals(kernel.write(0, replyBytes(4n, 0)), -ERRNO.ENOENT);
});

/** Notifications: [what, code, body, errno]. */
const NOTIFICATIONS: [string, number, Uint8Array, number][] = [
  [
    "INVAL_INODE of the root",
    FUSE_NOTIFY.INVAL_INODE,
    encodeStruct("fuse_notify_inval_inode_out", { ino: 1n }),
    0,
  ],
  [
    "INVAL_INODE of another inode",
    FUSE_NOTIFY.INVAL_INODE,
    encodeStruct("fuse_notify_inval_inode_out", { ino: 2n }),
    ERRNO.ENOENT,
  ],
  ["INVAL_INODE cut short", FUSE_NOTIFY.INVAL_INODE, BODY.subarray(0, 8), 22],
  ["an unknown code", 77, new Uint8Array(), ERRNO.EINVAL],
];

for (const [what, code, body, errno] of NOTIFICATIONS) {
  Deno.test(`SimKernel answers ${what} with ${errno}`, async () => {
    const { kernel } = await manual();
    const bytes = replyBytes(0n, code, body);
    const result = await kernel.notifier().notify(bytes);
    assertEquals(result, errno === 0 ? 0 : -errno);
  });
}
