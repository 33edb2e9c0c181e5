import { assert, assertEquals } from "@std/assert";
import {
  contiguousExchange,
  encodeRequest,
  ERRNO,
  type Extension,
  type OpcodeName,
  type OpcodeRow,
  OPCODES,
  ProtocolError,
  type ProtocolErrorKind,
  ProtocolVersion,
  separateExchange,
} from "../../src/protocol/mod.ts";
import { viewOf } from "../../src/protocol/codec.ts";

/** A message of each kind, with everything that may follow its struct. */
function messageOf(
  name: OpcodeName,
  protocolVersion = ProtocolVersion.NEWEST,
): Uint8Array {
  const row: OpcodeRow = OPCODES[name];
  const extensions: Extension[] = [
    { groups: [1, 2] },
    {
      contexts: [{ name: "security.selinux", value: Uint8Array.of(1, 2, 3) }],
    },
  ];
  const data = Uint8Array.of(7, 8, 9);
  const parts = {
    header: { unique: 2n, nodeid: 1n },
    ...(name === "INIT"
      ? { body: { major: 7, minor: 45, flags: 1 << 30 } }
      : {}),
    ...(row.tail?.startsWith("name") ? { names: ["abc"] } : {}),
    ...(row.tail === "name name" ? { names: ["abc", "de"] } : {}),
    ...(row.tail === "name value" || row.tail === "data" ? { data } : {}),
    ...(row.tail === "items" ? { items: [{}, {}] } : {}),
    ...(row.extensions ? { extensions } : {}),
  };
  return encodeRequest(name, parts, protocolVersion);
}

/** Validates bytes as a message, in memory of exactly its size. */
function validate(
  bytes: Uint8Array,
  protocolVersion = ProtocolVersion.NEWEST,
): ProtocolError | null {
  const { request } = contiguousExchange(bytes.slice(), new Uint8Array(16));
  return request.validate(bytes.length, protocolVersion);
}

/** The message cut off or extended to a size, with the right `len`. */
function resized(bytes: Uint8Array, length: number): Uint8Array {
  const message = new Uint8Array(length);
  message.set(bytes.subarray(0, length));
  if (length >= 4) viewOf(message).setUint32(0, length, true);
  return message;
}

function patched(bytes: Uint8Array, at: number, word: number): Uint8Array {
  const copy = bytes.slice();
  viewOf(copy).setUint32(at, word, true);
  return copy;
}

function assertError(
  error: ProtocolError | null,
  kind: ProtocolErrorKind,
  opcode: number,
  expected: number,
  received: number,
): void {
  assert(error instanceof ProtocolError, `no error: ${kind}`);
  assertEquals(
    [error.kind, error.opcode, error.expected, error.received],
    [kind, opcode, expected, received],
  );
  const errno = kind === "unknown opcode" ? ERRNO.ENOSYS : ERRNO.EINVAL;
  assertEquals(error.errno, errno);
}

const NAMES = Object.keys(OPCODES) as OpcodeName[];

Deno.test("validate() accepts a whole message of each kind", () => {
  assertEquals(NAMES.length, 52);
  for (const name of NAMES) assertEquals(validate(messageOf(name)), null, name);
});

Deno.test("validate() rejects a header that is cut off", () => {
  for (let length = 0; length < 40; length++) {
    const bytes = messageOf("READ").subarray(0, length);
    assertError(validate(bytes), "short header", 0, 40, length);
    assertEquals(validate(bytes)?.answerable, false);
  }
});

Deno.test("validate() rejects a length that is not the header's", () => {
  for (const name of NAMES) {
    const bytes = messageOf(name);
    const { opcode } = OPCODES[name];
    for (const wrong of [0, bytes.length - 1, bytes.length + 1, 2 ** 32 - 1]) {
      const error = validate(patched(bytes, 0, wrong));
      assertError(error, "wrong length", opcode, wrong, bytes.length);
      assertEquals(error?.answerable, false);
    }
  }
});

Deno.test("validate() rejects an opcode that the table lacks", () => {
  for (const opcode of [0, 7, 19, 54, 4095, 4097, 2 ** 31, 2 ** 32 - 1]) {
    const error = validate(patched(messageOf("GETATTR"), 4, opcode));
    assertError(error, "unknown opcode", opcode, 0, 56);
    assertEquals(error?.answerable, true);
  }
});

Deno.test("validate() rejects every truncation, with the right length or not", () => {
  for (
    const protocolVersion of [
      ProtocolVersion.NEWEST,
      new ProtocolVersion({ minor: 8 }),
    ]
  ) {
    for (const name of NAMES) {
      const bytes = messageOf(name, protocolVersion);
      for (let length = 0; length < bytes.length; length++) {
        const place = `${name} cut to ${length} of ${bytes.length}`;
        assert(validate(bytes.subarray(0, length), protocolVersion), place);
        assert(validate(resized(bytes, length), protocolVersion), place);
      }
    }
  }
});

Deno.test("validate() rejects a struct that is cut off", () => {
  assertError(
    validate(resized(messageOf("SETATTR"), 127)),
    "short body",
    4,
    128,
    127,
  );
  assertError(
    validate(resized(messageOf("INIT"), 103)),
    "short body",
    26,
    104,
    103,
  );
});

Deno.test("validate() rejects names without a NUL and names that are too long", () => {
  const lookup = (size: number) =>
    encodeRequest("LOOKUP", { names: ["x".repeat(size)] });
  assertEquals(validate(lookup(4095)), null);
  assertError(validate(lookup(4096)), "long name", 1, 4095, 4096);
  const bytes = lookup(5);
  assertError(validate(resized(bytes, 45)), "missing NUL", 1, 6, 5);
  assertError(validate(resized(bytes, 40)), "missing NUL", 1, 1, 0);
  const rename = encodeRequest("RENAME", { names: ["a", "bc"] });
  const cut = resized(rename, rename.length - 1);
  assertError(validate(cut), "missing NUL", 12, 3, 2);
});

Deno.test("validate() does not search for a NUL beyond the message", () => {
  const bytes = resized(encodeRequest("LOOKUP", { names: ["abc"] }), 43);
  const memory = new Uint8Array(100);
  memory.set(bytes);
  const { request } = contiguousExchange(memory, new Uint8Array(16));
  assertEquals(
    request.validate(43, ProtocolVersion.NEWEST)?.kind,
    "missing NUL",
  );
});

Deno.test("validate() rejects counts beyond the message", () => {
  const huge = 2 ** 32 - 1;
  const write = patched(messageOf("WRITE"), 40 + 16, 4);
  assertError(validate(write), "short data", 16, 4, 3);
  const writeHuge = patched(messageOf("WRITE"), 40 + 16, huge);
  assertError(validate(writeHuge), "short data", 16, huge, 3);
  const ioctl = patched(messageOf("IOCTL"), 40 + 24, huge);
  assertError(validate(ioctl), "short data", 39, huge, 3);
  const notify = patched(messageOf("NOTIFY_REPLY"), 40 + 16, 4);
  assertError(validate(notify), "short data", 41, 4, 3);
  const setxattr = patched(messageOf("SETXATTR"), 40, 4);
  assertError(validate(setxattr), "short data", 21, 4, 3);
  const forget = patched(messageOf("BATCH_FORGET"), 40, huge);
  assertError(validate(forget), "short items", 42, 16 * huge, 32);
  const unmap = patched(messageOf("REMOVEMAPPING"), 40, 3);
  assertError(validate(unmap), "short items", 49, 48, 32);
});

Deno.test("validate() rejects extensions longer than the message", () => {
  for (const name of ["READ", "WRITE", "MKDIR", "STATFS"] as const) {
    const bytes = encodeRequest(name, {
      names: name === "MKDIR" ? ["d"] : [],
    });
    const long = bytes.slice();
    viewOf(long).setUint16(36, 0xffff, true);
    const { opcode } = OPCODES[name];
    const rest = bytes.length - 40 - ProtocolVersion.NEWEST.bodySize(opcode);
    assertError(validate(long), "long extensions", opcode, 0xffff * 8, rest);
  }
});

Deno.test("validate() rejects extensions that overlap the name's NUL", () => {
  const bytes = encodeRequest("MKDIR", { names: ["1234567"] });
  viewOf(bytes).setUint16(36, 1, true);
  assertEquals(validate(bytes)?.kind, "bad extension");
});

Deno.test("validate() rejects malformed records of extensions", () => {
  const groups = encodeRequest("MKDIR", {
    names: ["d"],
    extensions: [{ groups: [1, 2, 3] }],
  });
  const at = 40 + 8 + 2;
  assertError(
    validate(patched(groups, at, 7)),
    "bad extension",
    9,
    8,
    7,
  );
  assertError(
    validate(patched(groups, at, 25)),
    "bad extension",
    9,
    25,
    24,
  );
  assertError(
    validate(patched(groups, at + 8, 4)),
    "bad extension",
    9,
    20,
    16,
  );
  const contexts = encodeRequest("SYMLINK", {
    names: ["a", "b"],
    extensions: [{
      contexts: [{ name: "security.x", value: Uint8Array.of(1, 2) }],
    }],
  });
  const start = 40 + 4;
  // A count of one context too many, and a value that exceeds its record.
  assertEquals(
    validate(patched(contexts, start + 4, 2))?.kind,
    "bad extension",
  );
  assertEquals(
    validate(patched(contexts, start + 8, 2 ** 32 - 1))?.kind,
    "bad extension",
  );
  const unknown = encodeRequest("SYMLINK", {
    names: ["a", "b"],
    extensions: [{ type: 33, data: Uint8Array.of(1, 2, 3) }, { groups: [] }],
  });
  assertEquals(validate(unknown), null);
});

Deno.test("the fields of INIT determine its length", () => {
  const init = (major: number, minor: number, flags: number, size: number) => {
    const body = { major, minor, flags };
    return validate(
      resized(encodeRequest("INIT", { body }), 40 + size),
      ProtocolVersion.BEFORE_INIT,
    )?.kind;
  };
  const EXT = 1 << 30;
  assertEquals(init(7, 5, 0, 8), undefined);
  assertEquals(init(7, 5, 0, 7), "short body");
  assertEquals(init(7, 6, 0, 15), "short body");
  assertEquals(init(7, 35, EXT, 16), undefined);
  assertEquals(init(7, 36, 0, 16), undefined);
  assertEquals(init(7, 36, EXT, 16), "short body");
  assertEquals(init(7, 45, EXT, 64), undefined);
  assertEquals(init(7, 45, EXT, 80), undefined);
  assertEquals(init(8, 0, 0, 16), undefined);
});

Deno.test("getters of a validated request never fail", () => {
  for (const name of NAMES) {
    const bytes = messageOf(name);
    const { request } = contiguousExchange(bytes, new Uint8Array(16));
    assertEquals(request.validate(bytes.length, ProtocolVersion.NEWEST), null);
    for (const index of [0, 1, 2, 3]) {
      request.name(index);
      request.nameBytes(index);
      request.value(index);
    }
    assertEquals(request.tail().length, request.tailLength);
    assertEquals(request.tailView().byteLength, request.tailLength);
    assertEquals(request.extensions().length, request.extensionsLength);
    assertEquals(request.copy(), bytes);
  }
});

Deno.test("a request reads the same from separate memory", () => {
  for (const name of NAMES) {
    if (name === "INIT" || name === "CUSE_INIT") continue;
    const bytes = messageOf(name);
    const size = ProtocolVersion.NEWEST.bodySize(OPCODES[name].opcode);
    const headers = new Uint8Array(288).fill(0xa5);
    const payload = new Uint8Array(8192).fill(0xa5);
    headers.set(bytes.subarray(0, 40));
    headers.set(bytes.subarray(40, 40 + size), 128);
    payload.set(bytes.subarray(40 + size));
    const apart = separateExchange(headers, payload).request;
    const joined = contiguousExchange(bytes, new Uint8Array(16)).request;
    assertEquals(apart.validate(bytes.length, ProtocolVersion.NEWEST), null);
    assertEquals(joined.validate(bytes.length, ProtocolVersion.NEWEST), null);
    assertEquals(apart.copy(), bytes, name);
    assertEquals(apart.tail(), joined.tail(), name);
    assertEquals(apart.extensions(), joined.extensions(), name);
    assertEquals(apart.name(), joined.name(), name);
    assertEquals(apart.value(), joined.value(), name);
  }
});

Deno.test("errors say what was expected and what was received", () => {
  assertEquals(
    validate(resized(messageOf("READ"), 60))?.message,
    "Cannot read READ: expected at least 80 bytes, received 60",
  );
  assertEquals(
    validate(new Uint8Array(12))?.message,
    "Cannot read a message: expected a header of 40 bytes, received 12",
  );
  assertEquals(
    validate(patched(messageOf("READ"), 4, 99))?.message,
    "Cannot read opcode 99: FUSE 7.45 has no such request",
  );
});
