import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { UserError } from "../../../src/base/user_error.ts";
import {
  INFO,
  MAGIC,
  OPTION,
  OPTION_ERROR,
  REPLY,
} from "../../../src/backends/protocols/nbd/constants.ts";
import {
  enterExport,
  greet,
  type Handshake,
  listExports,
} from "../../../src/backends/protocols/nbd/handshake.ts";

/** Carries a handshake out with what a server sends. */
function carry<T>(steps: Handshake<T>, input: Uint8Array): T {
  let at = 0;
  let step = steps.next();
  while (!step.done) {
    const exchange = step.value;
    const length = "receive" in exchange ? exchange.receive : 0;
    if (at + length > input.length) throw new Error("too little input");
    step = steps.next(input.slice(at, at += length));
  }
  return step.value;
}

function refusal<T>(steps: Handshake<T>, input: Uint8Array): string {
  return assertThrows(() => carry(steps, input), UserError).message;
}

function hello(
  flags: number,
  first: bigint = MAGIC.INIT,
  second: bigint = MAGIC.OPTION,
) {
  const view = new DataView(new ArrayBuffer(18));
  view.setBigUint64(0, first);
  view.setBigUint64(8, second);
  view.setUint16(16, flags);
  return new Uint8Array(view.buffer);
}

function reply(
  code: number,
  type: number,
  data: Uint8Array = new Uint8Array(),
) {
  const view = new DataView(new ArrayBuffer(20 + data.length));
  view.setBigUint64(0, MAGIC.OPTION_REPLY);
  view.setUint32(8, code);
  view.setUint32(12, type);
  view.setUint32(16, data.length);
  const bytes = new Uint8Array(view.buffer);
  bytes.set(data, 20);
  return bytes;
}

function exportInfo(size: bigint): Uint8Array {
  const view = new DataView(new ArrayBuffer(12));
  view.setUint16(0, INFO.EXPORT);
  view.setBigUint64(2, size);
  view.setUint16(10, 1);
  return new Uint8Array(view.buffer);
}

function blockInfo(...sizes: [number, number, number]): Uint8Array {
  const view = new DataView(new ArrayBuffer(14));
  view.setUint16(0, INFO.BLOCK_SIZE);
  sizes.forEach((size, i) => view.setUint32(2 + 4 * i, size));
  return new Uint8Array(view.buffer);
}

function join(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

const NO_STRUCTURE = reply(OPTION.STRUCTURED_REPLY, OPTION_ERROR.UNSUPPORTED);
const { GO } = OPTION;

Deno.test("greet() refuses what is no server that it can use", () => {
  carry(greet("nbd://s"), hello(3));
  assertMatch(refusal(greet("u"), hello(3, 1n)), /no NBD server/);
  assertMatch(refusal(greet("u"), hello(3, MAGIC.INIT, 1n)), /old handshake/);
  assertMatch(refusal(greet("u"), hello(2)), /no fixed newstyle/);
});

Deno.test("enterExport() reads size, flags and block sizes", () => {
  const input = join(
    NO_STRUCTURE,
    reply(GO, REPLY.INFO, exportInfo(5n << 30n)),
    reply(GO, REPLY.INFO, blockInfo(512, 4096, 1 << 20)),
    reply(GO, REPLY.INFO, Uint8Array.of(0, 99, 1, 2)),
    reply(GO, REPLY.ACK),
  );
  assertEquals(carry(enterExport("u", "x"), input), {
    size: 5 * 2 ** 30,
    flags: 1,
    minBlock: 512,
    preferredBlock: 4096,
    maxPayload: 1 << 20,
    structured: false,
    allocationId: null,
  });
});

Deno.test("enterExport() says why a server refuses, and shows no control characters", () => {
  const said = new TextEncoder().encode("no \x1b[31mway");
  for (
    const [error, why] of [
      [OPTION_ERROR.UNKNOWN, /no such export \("no \?\[31mway"\)/],
      [OPTION_ERROR.TLS_REQUIRED, /requires TLS/],
      [OPTION_ERROR.POLICY, /refuses it/],
      [OPTION_ERROR.SHUTDOWN, /is ending/],
      [OPTION_ERROR.UNSUPPORTED, /NBD_OPT_GO/],
      [0x8000_00ff, /error 255/],
    ] as const
  ) {
    const input = join(NO_STRUCTURE, reply(GO, error, said));
    assertMatch(refusal(enterExport("u", "x"), input), why);
  }
});

Deno.test("enterExport() refuses a server that breaks the protocol", () => {
  const go = (...parts: Uint8Array[]) =>
    refusal(enterExport("u", "x"), join(NO_STRUCTURE, ...parts));
  const ack = reply(GO, REPLY.ACK);
  assertMatch(go(ack), /does not tell its size/);
  assertMatch(go(reply(OPTION.LIST, REPLY.ACK)), /breaks the protocol/);
  const size = (value: bigint) => reply(GO, REPLY.INFO, exportInfo(value));
  assertMatch(go(size(1n << 60n), ack), /larger than 8 PiB/);
  for (
    const sizes of [[3, 4096, 4096], [512, 256, 4096], [4096, 4096, 512], [
      1 << 20,
      1 << 20,
      1 << 20,
    ], [0, 0, 0]] as [number, number, number][]
  ) {
    const blocks = reply(GO, REPLY.INFO, blockInfo(...sizes));
    assertMatch(go(size(1n), blocks, ack), /make no sense/);
  }
  const long = reply(GO, REPLY.INFO);
  new DataView(long.buffer).setUint32(16, 1 << 30);
  assertMatch(go(long), /breaks the protocol/);
  const endless = Array.from({ length: 5000 }, () => size(1n));
  assertMatch(go(...endless), /without end/);
});

Deno.test("listExports() reads the names", () => {
  const name = (text: string) => {
    const bytes = new TextEncoder().encode(text);
    const data = Uint8Array.of(0, 0, 0, bytes.length, ...bytes);
    return reply(OPTION.LIST, REPLY.SERVER, data);
  };
  const input = join(name("a"), name("b c"), reply(OPTION.LIST, REPLY.ACK));
  assertEquals(carry(listExports("u"), input), ["a", "b c"]);
});
