import { assert, assertEquals, assertThrows } from "@std/assert";
import { contiguousExchange } from "../../src/protocol/exchange.ts";
import { accessors } from "../../src/protocol/accessors.ts";
import { encodeStruct } from "../../src/protocol/codec.ts";
import {
  encodeRequest,
  type RequestParts,
} from "../../src/protocol/message.ts";
import {
  type OpcodeName,
  type OpcodeRow,
  OPCODES,
} from "../../src/protocol/opcodes.ts";
import { ProtocolVersion } from "../../src/protocol/protocol_version.ts";
import type { Reply } from "../../src/protocol/reply.ts";
import { ReplyError } from "../../src/protocol/reply_error.ts";
import { FUSE_IOCTL } from "../../src/protocol/flags.ts";
import { S_IF } from "../../src/base/file_flags.ts";

/** The reply to a request, in memory of 64 KiB that is full of 0xa5. */
function replyTo<N extends OpcodeName>(
  name: N,
  parts: RequestParts<N> = {},
): Reply {
  const message = encodeRequest(name, { ...parts, header: { unique: 6n } });
  const outgoing = new Uint8Array(65536 + 16).fill(0xa5);
  const { request, reply } = contiguousExchange(message, outgoing);
  assertEquals(request.validate(message.length, ProtocolVersion.NEWEST), null);
  return reply;
}

/** The same, to a request with as many names as it needs. */
function replyToAny(name: OpcodeName): Reply {
  const row: OpcodeRow = OPCODES[name];
  const count = (row.tail ?? "").split("name").length - 1;
  const names = ["a", "b"].slice(0, count);
  return replyTo(name, { names } as RequestParts<OpcodeName>);
}

function refuses(reply: Reply, call: () => void, problem: string): void {
  const error = assertThrows(call, ReplyError, problem);
  assertEquals(error.unique, 6n);
  assert(!reply.filled, "it can still be answered");
}

Deno.test("a reply has errno 0, not -0", () => {
  const reply = replyTo("FLUSH");
  assert(Object.is(reply.errno, 0));
  reply.ok();
  assert(Object.is(reply.errno, 0));
});

Deno.test("a refused call leaves the reply to be answered otherwise", () => {
  const reply = replyTo("READ", { body: { size: 8 } });
  refuses(reply, () => reply.ok(9), "by ok(9): a reply to it has 0 to 8 bytes");
  reply.error(511);
  assertEquals([reply.errno, reply.length], [511, 16]);
  assertThrows(() => reply.ok(0), ReplyError, "answered already");
});

Deno.test("every request refuses a reply of another size than the kernel's", () => {
  for (const [name, row] of Object.entries(OPCODES)) {
    const reply = replyToAny(name as OpcodeName);
    reply.data.fill(0);
    for (const size of [-1, 65537, 0.5, NaN]) {
      refuses(reply, () => reply.ok(size), `Cannot answer ${name} (unique 6)`);
    }
    const isFixed = "out" in row && !("outTail" in row) && name !== "INIT";
    if (isFixed) refuses(reply, () => reply.ok(1), "a reply to it has");
  }
});

Deno.test("only requests without a reply take none()", () => {
  const taken = Object.keys(OPCODES).filter((name) => {
    const reply = replyToAny(name as OpcodeName);
    try {
      reply.none();
    } catch (error) {
      assert(error instanceof ReplyError);
    }
    return reply.filled;
  });
  const expected = ["FORGET", "INTERRUPT", "NOTIFY_REPLY", "BATCH_FORGET"];
  assertEquals(taken, expected);
});

Deno.test("a dead reply refuses every call, and cannot be revived", () => {
  const reply = replyTo("READ", { body: { size: 8 } });
  const late: string[] = [];
  reply.watch({
    late: ({ message }) => late.push(message),
    uncaught() {},
  });
  reply.retire();
  reply.reset();
  assertThrows(() => reply.ok(8), ReplyError, "answered already");
  assertThrows(() => reply.error(5), ReplyError, "answered already");
  assertThrows(() => reply.none(), ReplyError, "answered already");
  const open = () => reply.struct("fuse_open_out", {});
  assertThrows(open, ReplyError, "answered already");
  assertEquals(late.length, 4);
});

Deno.test("a created inode has the type that was requested", () => {
  const mode = S_IF.FIFO | 0o644;
  const attr = { mode };
  const mknod = replyTo("MKNOD", { body: { mode }, names: ["a"] });
  mknod.struct("fuse_entry_out", { nodeid: 2n, attr });
  const file = replyTo("MKNOD", { body: { mode: 0o644 }, names: ["a"] });
  const wrong = () => file.struct("fuse_entry_out", { nodeid: 2n, attr });
  refuses(file, wrong, "is not of type 0o100000");
  const none = replyTo("MKDIR", { names: ["a"] });
  const zero = () => none.struct("fuse_entry_out", {});
  refuses(none, zero, "nodeid 0 is not that of an inode below the root");
  replyTo("LOOKUP", { names: ["a"] }).struct("fuse_entry_out", {});
});

Deno.test("IOCTL may be retried only where the kernel allows it", () => {
  const ioctl = (flags: number, out: number, size: number) => {
    const reply = replyTo("IOCTL", { body: { flags, out_size: 4 } });
    reply.data.set(encodeStruct("fuse_ioctl_out", {
      flags: out,
      in_iovs: out === 0 ? 0 : 1,
    }));
    return { reply, answer: () => reply.ok(16 + size) };
  };
  ioctl(0, 0, 4).answer();
  const long = ioctl(0, 0, 5);
  refuses(long.reply, long.answer, "5 bytes of data, at most 4");
  const { RETRY, UNRESTRICTED } = FUSE_IOCTL;
  const retry = ioctl(0, RETRY, 16);
  refuses(retry.reply, retry.answer, "only for FUSE_IOCTL_UNRESTRICTED");
  ioctl(UNRESTRICTED, RETRY, 16).answer();
  const cut = ioctl(UNRESTRICTED, RETRY, 15);
  refuses(cut.reply, cut.answer, "15 bytes are not 1 iovecs");
});

Deno.test("other contents are checked as by the kernel", () => {
  const lock = replyTo("GETLK");
  const range = { lk: { start: 5n, end: 4n, type: 0 } };
  refuses(lock, () => lock.struct("fuse_lk_out", range), "5 to 4 is not");
  lock.struct("fuse_lk_out", { lk: { type: 2 } });
  const copy = replyTo("COPY_FILE_RANGE", { body: { len: 4n } });
  const more = () => copy.struct("fuse_write_out", { size: 5 });
  refuses(copy, more, "5 bytes were copied, at most 4 were requested");
  const statx = replyTo("STATX");
  const stat = { mask: 0x200, size: 1n << 63n };
  const huge = () => statx.struct("fuse_statx_out", { stat });
  refuses(statx, huge, "is 2^63 or more");
});

Deno.test("structs are encoded only from numbers that fit", () => {
  const bad: [string, unknown][] = [
    ["mode", -1],
    ["mode", 2 ** 32],
    ["mode", NaN],
    ["mode", "5"],
    ["mode", 5n],
    ["size", -1n],
    ["size", 1n << 64n],
    ["size", 5],
    ["ino", -1n],
    ["mtime", -(1n << 63n) - 1n],
  ];
  for (const [field, value] of bad) {
    const encode = () => encodeStruct("fuse_attr", { [field]: value });
    assertThrows(encode, RangeError, `fuse_attr.${field}: expected a whole`);
  }
  // Times before 1970.
  encodeStruct("fuse_attr", { mtime: -1n, mode: -0 });
});

Deno.test("sizes are written only from numbers that fit", () => {
  const { setNumber, size } = accessors("fuse_attr");
  const view = new DataView(new ArrayBuffer(size));
  for (const value of [-1, 0.5, NaN, Infinity, 2 ** 53]) {
    assertThrows(() => setNumber.size(view, 0, value), RangeError);
  }
  setNumber.size(view, 0, -0);
  setNumber.size(view, 0, 2 ** 53 - 1);
});
