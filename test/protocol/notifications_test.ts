import { assertEquals, assertThrows } from "@std/assert";
import {
  decodeNotification,
  encodeNotification,
  type NotificationName,
  NOTIFICATIONS,
  ProtocolError,
} from "../../src/protocol/mod.ts";
import { viewOf } from "../../src/protocol/codec.ts";
import { unhex } from "./_hex.ts";

const NAMES = Object.keys(NOTIFICATIONS) as NotificationName[];

function messageOf(name: NotificationName): Uint8Array {
  return encodeNotification(name, {
    name: "gone",
    data: Uint8Array.of(1, 2, 3),
    nodeids: [2n, 2n ** 63n + 1n],
  });
}

Deno.test("NOTIFICATIONS has the codes 1 to 9", () => {
  const codes = Object.values(NOTIFICATIONS).map(({ code }) => code);
  assertEquals<number[]>(codes, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

Deno.test("encodeNotification() lays out its struct and what follows", () => {
  assertEquals(
    encodeNotification("INVAL_ENTRY", { body: { parent: 1n }, name: "gone" }),
    unhex(`
      25 00 00 00              # len 37
      03 00 00 00              # error: FUSE_NOTIFY_INVAL_ENTRY
      00 00 00 00 00 00 00 00  # unique 0
      01 00 00 00 00 00 00 00  # parent 1
      04 00 00 00 00 00 00 00  # namelen 4, flags 0
      67 6f 6e 65 00           # "gone" and its NUL
    `),
  );
  assertEquals(
    encodeNotification("PRUNE", { nodeids: [5n] }).subarray(16),
    unhex("01000000 00000000 0000000000000000 0500000000000000"),
  );
  assertEquals(
    encodeNotification("RESEND"),
    unhex("10000000 07000000 0000000000000000"),
  );
  const inval = encodeNotification("INVAL_INODE", {
    body: { ino: 1n, off: -1n },
  });
  const decoded = decodeNotification(inval);
  assertEquals(decoded.notification, "INVAL_INODE");
  if (decoded.notification !== "INVAL_INODE") return;
  assertEquals(decoded.body.off, -1n);
});

Deno.test("decodeNotification() returns what was encoded", () => {
  for (const name of NAMES) {
    const bytes = messageOf(name);
    const parts = decodeNotification(bytes);
    assertEquals(parts.notification, name);
    assertEquals(encodeNotification(name, parts), bytes);
  }
});

Deno.test("decodeNotification() rejects every message that is too short or too long", () => {
  for (const name of NAMES) {
    const bytes = messageOf(name);
    for (let length = 0; length <= bytes.length + 1; length++) {
      if (length === bytes.length) continue;
      const other = new Uint8Array(length);
      other.set(bytes.subarray(0, length));
      const place = `${name} of ${length} bytes`;
      assertThrows(() => decodeNotification(other), ProtocolError, "", place);
      if (length < 16) continue;
      viewOf(other).setUint32(0, length, true);
      assertThrows(() => decodeNotification(other), ProtocolError, "", place);
    }
  }
});

Deno.test("decodeNotification() says what is wrong", () => {
  const bytes = messageOf("DELETE");
  viewOf(bytes).setUint32(16 + 16, 5, true);
  assertThrows(
    () => decodeNotification(bytes),
    ProtocolError,
    "Cannot read notification DELETE: missing NUL, expected 6 bytes, received 5",
  );
  for (const code of [0, 10, -1]) {
    const other = messageOf("RESEND");
    viewOf(other).setInt32(4, code, true);
    const error = assertThrows(() => decodeNotification(other), ProtocolError);
    assertEquals(error.kind, "unknown opcode");
  }
});
