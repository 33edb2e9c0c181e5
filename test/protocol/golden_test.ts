import { assert, assertEquals } from "@std/assert";
import {
  contiguousExchange,
  decodeNotification,
  decodeReply,
  decodeRequest,
  encodeNotification,
  encodeReply,
  encodeRequest,
  formatTrace,
  layoutOf,
  opcodeName,
  traceNotification,
  traceReplyBody,
  traceRequest,
} from "../../src/protocol/mod.ts";
import { viewOf } from "../../src/protocol/codec.ts";
import { annotate } from "./_annotate.ts";
import { type GoldenMessage, parseGolden } from "./_golden.ts";
import { GOLDEN } from "./golden/mod.ts";

const HEADER_FIELDS = layoutOf("fuse_in_header").fields.length;
const MESSAGES = Object.values(GOLDEN).flatMap(parseGolden);

/** The `size` of the request that a reply answers. */
function requestedSize(request: Uint8Array): number {
  const message = decodeRequest(request);
  const body = message.body as { size?: number; out_size?: number };
  return body.size ?? body.out_size ?? 0;
}

/** Decodes a message and encodes it again. */
function replay(message: GoldenMessage): Uint8Array {
  const { bytes, protocolVersion, kind, request } = message;
  if (kind === "request") {
    const decoded = decodeRequest(bytes, protocolVersion);
    return encodeRequest(decoded.name, decoded, protocolVersion);
  }
  if (kind === "notification") {
    const decoded = decodeNotification(bytes);
    return encodeNotification(decoded.notification, decoded);
  }
  assert(request !== undefined, "the file does not have its request");
  const name = opcodeName(viewOf(request).getUint32(4, true))!;
  const size = requestedSize(request);
  const decoded = decodeReply(name, bytes, { size, protocolVersion });
  // If the reply has entries, encode these instead of the bytes.
  const { data, ...entries } = decoded;
  const parts = decoded.entries.length > 0 ? entries : { ...entries, data };
  return encodeReply(name, parts, protocolVersion);
}

function label({ name, kind, cause }: GoldenMessage): string {
  return `${name} ${kind}: ${cause}`;
}

Deno.test("there are golden messages of most requests", () => {
  const names = new Set(
    MESSAGES.filter(({ kind }) => kind === "request").map(({ name }) => name),
  );
  assert(MESSAGES.length >= 60, `${MESSAGES.length} messages`);
  assert(names.size >= 40, `${names.size} requests`);
});

Deno.test("decoding and encoding golden messages gives the same bytes", () => {
  for (const message of MESSAGES) {
    assertEquals(replay(message), message.bytes, label(message));
  }
});

Deno.test("golden messages have the names of their headings", () => {
  for (const { name, kind, bytes, protocolVersion, request } of MESSAGES) {
    if (kind === "notification") {
      const { notification } = decodeNotification(bytes);
      assertEquals(name, `NOTIFY_${notification}`);
    } else {
      const asked = decodeRequest(request ?? bytes, protocolVersion);
      assertEquals(name, asked.name);
    }
  }
});

Deno.test("annotations agree with the table", () => {
  for (const message of MESSAGES) {
    const direction = message.kind === "request" ? "<-" : "->";
    const lines = annotate(message.bytes, direction, message);
    assertEquals([...message.lines], lines, label(message));
  }
});

Deno.test("annotations agree with the decoded fields", () => {
  let compared = 0;
  for (const message of MESSAGES) {
    if (message.kind !== "request") continue;
    const { header, body } = decodeRequest(
      message.bytes,
      message.protocolVersion,
    );
    for (const [i, line] of message.lines.entries()) {
      const match = /# (\w+) (-?\d+)(?: |$)/.exec(line);
      const fields: object = i < HEADER_FIELDS ? header : body;
      const field = match?.[1] ?? "";
      if (!Object.hasOwn(fields, field)) continue;
      const value = (fields as Record<string, number | bigint>)[field];
      assertEquals(`${value}`, match![2], `${label(message)}: ${field}`);
      compared++;
    }
  }
  assert(compared > 1000, `${compared} fields`);
});

Deno.test("golden requests read the same in the memory of a queue", () => {
  for (const { bytes, kind, protocolVersion } of MESSAGES) {
    if (kind !== "request") continue;
    const memory = new Uint8Array(bytes.length + 100).fill(0xa5);
    memory.set(bytes);
    const { request } = contiguousExchange(memory, new Uint8Array(16));
    assertEquals(request.validate(bytes.length, protocolVersion), null);
    assertEquals(request.copy(), bytes);
  }
});

Deno.test("golden messages can be traced", () => {
  for (const { bytes, kind, protocolVersion, request, name } of MESSAGES) {
    if (kind === "notification") {
      assert(formatTrace(traceNotification(0, bytes)).includes(name));
      continue;
    }
    const asked = contiguousExchange(request ?? bytes, new Uint8Array(16));
    assertEquals(
      asked.request.validate(asked.request.length, protocolVersion),
      null,
    );
    const record = traceRequest(0, asked.request);
    const errno = -viewOf(bytes).getInt32(4, true);
    const line = kind === "request" ? formatTrace(record) : formatTrace(
      traceReplyBody(record, errno, bytes.subarray(16), protocolVersion),
    );
    assert(line.includes(name), line);
    assert(/^q0 (?:<-|->) 0x[0-9a-f]+ \w+/.test(line), line);
  }
});
