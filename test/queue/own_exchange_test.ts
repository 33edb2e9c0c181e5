import { assertEquals, assertThrows } from "@std/assert";
import { contiguousExchange } from "../../src/protocol/exchange.ts";
import {
  encodeRequest,
  type RequestParts,
} from "../../src/protocol/message.ts";
import { type OpcodeName, OPCODES } from "../../src/protocol/opcodes.ts";
import { ProtocolVersion } from "../../src/protocol/protocol_version.ts";
import { ReplyError } from "../../src/protocol/reply_error.ts";
import type { Request } from "../../src/protocol/request.ts";
import { OwnExchange } from "../../src/queue/own_exchange.ts";

const SIZE = 128 * 1024;
/** Requests after one whose memory is freed: more than malloc(3) keeps apart. */
const FURTHER = 64;

function received(
  bytes: Uint8Array,
  version: ProtocolVersion = ProtocolVersion.NEWEST,
): Request {
  const { request } = contiguousExchange(bytes, new Uint8Array(16));
  assertEquals(request.validate(bytes.length, version), null);
  return request;
}

function requestOf(name: OpcodeName, parts: RequestParts<OpcodeName>): Request {
  return received(encodeRequest(name, parts));
}

function readOf(size: number): Request {
  return requestOf("READ", { body: { size } });
}

function writeOf(size: number): Request {
  return requestOf("WRITE", { data: new Uint8Array(size).fill(7) });
}

Deno.test("a copy of a request has its bytes, whatever its opcode and size", () => {
  const names = ["a".repeat(200), "b".repeat(255)];
  const requests = Object.entries(OPCODES).map(([name, row]) => {
    const count = "tail" in row ? row.tail.split("name").length - 1 : 0;
    const parts = { names: names.slice(0, count) };
    return requestOf(name as OpcodeName, parts);
  });
  requests.push(...[1, 432, 4096, 2 ** 20].map(writeOf));
  for (const request of requests) {
    const copy = new OwnExchange(request).request;
    assertEquals(copy.copy(), request.copy());
    assertEquals(copy.tail(), request.tail());
    if (request.opcode === OPCODES.WRITE.opcode) {
      assertEquals(copy.data, request.data.slice(0, request.tailLength));
    }
  }
});

Deno.test("the shorter WRITE of an old peer is copied too", () => {
  const version = new ProtocolVersion({ minor: 8 });
  const whole = encodeRequest("WRITE", { data: new Uint8Array([1, 2, 3]) });
  const bytes = new Uint8Array([
    ...whole.subarray(0, 64),
    ...whole.subarray(80),
  ]);
  new DataView(bytes.buffer).setUint32(0, bytes.length, true);
  const copy = new OwnExchange(received(bytes, version)).request;
  assertEquals([...copy.data], [1, 2, 3]);
});

Deno.test("the memory of a reply is freed if its handler is done with it", () => {
  const own = new OwnExchange(readOf(SIZE));
  const { data, body } = own.reply;
  data.fill(0xee);
  own.end(true);
  assertEquals(data.length, 0);
  assertThrows(() => body.setUint8(0, 1), TypeError, "detached");
  assertThrows(() => own.reply.ok(), ReplyError, "answered already");
  assertEquals(new OwnExchange(readOf(SIZE)).reply.data, new Uint8Array(SIZE));
});

Deno.test("a request, and a reply that a handler may still fill, are kept", () => {
  const write = new OwnExchange(writeOf(SIZE));
  const { data } = write.request;
  write.end(true);
  assertEquals(data, new Uint8Array(SIZE).fill(7));
  assertEquals(write.request.opcode, OPCODES.WRITE.opcode);
  const read = new OwnExchange(readOf(SIZE));
  const kept = read.reply.data;
  read.end(false);
  kept.fill(0xee);
  assertEquals(kept, new Uint8Array(SIZE).fill(0xee));
});

Deno.test("a read into a reply that was answered reaches no other request", async () => {
  const path = await Deno.makeTempFile();
  await Deno.remove(path);
  await new Deno.Command("mkfifo", { args: [path] }).output();
  using fifo = await Deno.open(path, { read: true, write: true });
  using writer = await Deno.open(path, { write: true });
  await Deno.remove(path);
  const own = new OwnExchange(readOf(SIZE));
  const reading = fifo.read(own.reply.data);
  own.reply.ok(SIZE);
  own.end(true);
  const others = Array.from({ length: FURTHER }, () => {
    const other = new OwnExchange(readOf(SIZE));
    other.reply.data.fill(7);
    return other;
  });
  await writer.write(new Uint8Array(4096).fill(0xee));
  assertEquals(await reading, 4096);
  for (const { reply } of others) {
    assertEquals(reply.data, new Uint8Array(SIZE).fill(7));
  }
});
