import { assertEquals } from "@std/assert";
import {
  accessors,
  contiguousExchange,
  decodeReply,
  encodeRequest,
  type Exchange,
  type OpcodeName,
  ProtocolVersion,
  type RequestParts,
  writeStruct,
} from "../../src/protocol/mod.ts";

const OLD = new ProtocolVersion({ minor: 8 });

/** A request of an old peer, as a server receives it. */
function asked<N extends OpcodeName>(
  name: N,
  parts: RequestParts<N>,
  protocolVersion: ProtocolVersion = OLD,
): Exchange {
  const bytes = encodeRequest(name, parts, protocolVersion);
  const outgoing = new Uint8Array(256).fill(0xa5);
  const exchange = contiguousExchange(bytes, outgoing);
  assertEquals(exchange.request.validate(bytes.length, protocolVersion), null);
  return exchange;
}

Deno.test("fields that an old peer does not send read as zero", () => {
  const { request } = asked("MKNOD", {
    body: { mode: 0o100644, rdev: 7 },
    names: ["abcdefghij"],
  });
  const MKNOD_IN = accessors("fuse_mknod_in");
  assertEquals(MKNOD_IN.get.rdev(request.body), 7);
  assertEquals(MKNOD_IN.get.umask(request.body), 0);
  assertEquals(request.name(), "abcdefghij");
  const GETATTR_IN = accessors("fuse_getattr_in");
  const getattr = asked("GETATTR", {}).request;
  assertEquals(GETATTR_IN.get.fh(getattr.body), 0n);
  const SETXATTR_IN = accessors("fuse_setxattr_in");
  const setxattr = asked("SETXATTR", {
    body: { flags: 1 },
    names: ["user.abcdefgh"],
    data: Uint8Array.of(1, 2),
  }, new ProtocolVersion()).request;
  assertEquals(SETXATTR_IN.get.flags(setxattr.body), 1);
  assertEquals(SETXATTR_IN.get.setxattr_flags(setxattr.body), 0);
  assertEquals(setxattr.value(), Uint8Array.of(1, 2));
});

Deno.test("data of an old WRITE starts where its struct ends", () => {
  const data = Uint8Array.of(1, 2, 3);
  const { request } = asked("WRITE", { body: { offset: 4096n }, data });
  const WRITE_IN = accessors("fuse_write_in");
  assertEquals(request.length, 40 + 24 + 3);
  assertEquals(WRITE_IN.number.offset(request.body), 4096);
  assertEquals(WRITE_IN.get.size(request.body), 3);
  assertEquals(WRITE_IN.get.flags(request.body), 0);
  assertEquals(request.data.subarray(0, 3), data);
});

Deno.test("the same slot serves old and new layouts in turn", () => {
  const memory = new Uint8Array(256);
  const { request } = contiguousExchange(memory, new Uint8Array(16));
  const first = request.data;
  for (
    const protocolVersion of [
      OLD,
      new ProtocolVersion(),
      OLD,
      new ProtocolVersion(),
    ]
  ) {
    const data = Uint8Array.of(9, 8, 7);
    const bytes = encodeRequest("WRITE", { data }, protocolVersion);
    memory.set(bytes);
    assertEquals(request.validate(bytes.length, protocolVersion), null);
    assertEquals(request.data.subarray(0, 3), data);
    assertEquals(request.data === first, protocolVersion !== OLD);
    assertEquals(request.protocolVersion, protocolVersion);
  }
});

Deno.test("replies to an old peer are shortened", () => {
  const attr = { ino: 5n, mode: 0o100644, rdev: 3, blksize: 4096 };
  const lookup = asked("LOOKUP", { names: ["a"] });
  writeStruct("fuse_entry_out", lookup.reply.body, 0, { nodeid: 5n, attr });
  lookup.reply.ok(128);
  assertEquals(lookup.reply.length, 16 + 120);
  const create = asked("CREATE", { names: ["a"] });
  writeStruct("fuse_entry_out", create.reply.body, 0, { nodeid: 5n, attr });
  writeStruct("fuse_open_out", create.reply.body, 128, { fh: 77n });
  create.reply.ok(144);
  assertEquals(create.reply.length, 16 + 120 + 16);
  const { body } = decodeReply("CREATE", create.reply.copy(), {
    protocolVersion: OLD,
  });
  assertEquals(body.fuse_entry_out?.attr.rdev, 3);
  assertEquals(body.fuse_open_out?.fh, 77n);
  const read = asked("READ", { body: { size: 8 } });
  read.reply.ok(8);
  assertEquals(read.reply.length, 24);
  const failed = asked("LOOKUP", { names: ["a"] });
  failed.reply.error(2);
  assertEquals(failed.reply.length, 16);
});

Deno.test("replies to a new peer are not changed", () => {
  const lookup = asked(
    "LOOKUP",
    { names: ["a"] },
    new ProtocolVersion({ minor: 9 }),
  );
  lookup.reply.struct("fuse_entry_out", {});
  assertEquals(lookup.reply.length, 16 + 128);
});
