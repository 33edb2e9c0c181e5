import { assertEquals, assertThrows } from "@std/assert";
import {
  decodeWireLog,
  encodeNotification,
  encodeReply,
  encodeRequest,
  formatTraceJson,
  formatWireLine,
  parseWireLine,
  ProtocolVersion,
} from "../../src/protocol/mod.ts";

const INIT_EXT = 1 << 30;
const SETXATTR_EXT = 1 << 29;

function line(
  direction: "<-" | "->",
  bytes: Uint8Array,
  note?: string,
): string {
  return formatWireLine({
    queue: 0,
    direction,
    bytes,
    ...(note === undefined ? {} : { note }),
  });
}

/** INIT and its reply. */
function handshake(minor: number, flags: number): string[] {
  const header = { unique: 2n };
  const init = { major: 7, minor, flags: INIT_EXT | SETXATTR_EXT };
  const answer = { major: 7, minor, flags };
  return [
    line("<-", encodeRequest("INIT", { header, body: init })),
    line(
      "->",
      encodeReply("INIT", { header, body: { fuse_init_out: answer } }),
    ),
  ];
}

Deno.test("lines of a wire log are read as they were written", () => {
  const bytes = Uint8Array.of(0, 1, 0xff);
  const text = "q12 -> 0001ff # a note # with a hash";
  const message = {
    queue: 12,
    direction: "->",
    bytes,
    note: "a note # with a hash",
  } as const;
  assertEquals(formatWireLine(message), text);
  assertEquals(parseWireLine(text), message);
  assertEquals(parseWireLine(`${text}\r`), message);
  for (const empty of ["", "  ", "# nothing"]) {
    assertEquals(parseWireLine(empty), null);
  }
});

Deno.test("a malformed line of a wire log is a SyntaxError", () => {
  for (
    const bad of ["x", "q <- 00", "q0 00", "q0 <- 0", "q0 <- 0G", "q0 -- 00"]
  ) {
    assertThrows(() => parseWireLine(bad), SyntaxError, "Cannot read wire log");
  }
  assertThrows(
    () => [...decodeWireLog(["# fine", "not a message"])],
    SyntaxError,
    '"not a message" (line 2)',
  );
});

Deno.test("decodeWireLog() formats one line per message", () => {
  const header = { unique: 500n, nodeid: 1n };
  const log = [
    "# a log",
    ...handshake(45, INIT_EXT),
    line(
      "<-",
      encodeRequest("READ", { header, body: { offset: 4096n, size: 16 } }),
      "head",
    ),
    line("->", encodeReply("READ", { header, data: new Uint8Array(16) })),
    line("->", encodeNotification("INC_EPOCH")),
  ];
  assertEquals([...decodeWireLog(log)], [
    "q0 <- 0x2 INIT major=7 minor=45 flags=SETXATTR_EXT|INIT_EXT",
    "q0 -> 0x2 INIT OK major=7 minor=45 flags=INIT_EXT",
    "q0 <- 0x1f4 READ fh=0 offset=4096 size=16 # head",
    "q0 -> 0x1f4 READ OK 16 B",
    "q0 -> 0x0 NOTIFY_INC_EPOCH",
  ]);
  const json = [...decodeWireLog(log, formatTraceJson)];
  assertEquals(JSON.parse(json[3]!).bytes, 16);
});

Deno.test("decodeWireLog() follows the negotiated version", () => {
  const header = { unique: 4n, nodeid: 1n };
  const parts = { header, names: ["user.a"], data: Uint8Array.of(1) };
  const decoded = (flags: number, protocolVersion: ProtocolVersion) =>
    [...decodeWireLog([
      ...handshake(45, flags),
      line("<-", encodeRequest("SETXATTR", parts, protocolVersion)),
    ])].at(-1);
  const expected = 'q0 <- 0x4 SETXATTR size=1 name="user.a" 1 B';
  assertEquals(decoded(0, new ProtocolVersion()), expected);
  const extended = new ProtocolVersion({ setxattrExt: true });
  assertEquals(decoded(SETXATTR_EXT, extended), expected);
  const old = [...decodeWireLog([
    ...handshake(8, 0),
    line(
      "<-",
      encodeRequest("GETATTR", { header }, new ProtocolVersion({ minor: 8 })),
    ),
  ])];
  assertEquals(old.at(-1), "q0 <- 0x4 GETATTR fh=0");
});

Deno.test("decodeWireLog() marks messages that break the rules, and continues", () => {
  const bytes = encodeRequest("READ", { header: { unique: 4n, nodeid: 1n } });
  assertEquals(
    [...decodeWireLog([
      line("<-", bytes.subarray(0, 50)),
      line("->", new Uint8Array(4)),
      line("->", encodeReply("READ", { header: { unique: 4n } })),
      line("<-", bytes),
    ])],
    [
      "! q0 <- Cannot read READ: its header says 80 bytes, received 50",
      "! q0 -> Cannot read reply: expected at least 16 bytes, received 4",
      "! q0 -> Cannot read reply: no request 0x4 came before",
      "q0 <- 0x4 READ fh=0 offset=0 size=0",
    ],
  );
});
