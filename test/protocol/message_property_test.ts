import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  contiguousExchange,
  decodeReply,
  decodeRequest,
  encodeDirents,
  encodeReply,
  encodeRequest,
  type OpcodeName,
  type OpcodeRow,
  OPCODES,
  parseDirents,
  ProtocolError,
  ProtocolVersion,
  type ReplyParts,
  separateExchange,
} from "../../src/protocol/mod.ts";
import { viewOf } from "../../src/protocol/codec.ts";
import {
  anyEntry,
  anyRequest,
  anyStruct,
  OPCODE_NAMES,
} from "./_arbitraries.ts";

const RUNS = { numRuns: 40, seed: 7 };

/** Checks a property of all kinds of requests. */
function forEachRequest(
  check: (
    bytes: Uint8Array,
    name: OpcodeName,
    protocolVersion: ProtocolVersion,
  ) => void,
  versions: readonly ProtocolVersion[] = [ProtocolVersion.NEWEST],
  runs: { numRuns: number; seed: number } = RUNS,
): void {
  for (const protocolVersion of versions) {
    for (const name of OPCODE_NAMES) {
      fc.assert(
        fc.property(
          anyRequest(name),
          (parts) =>
            check(
              encodeRequest(name, parts, protocolVersion),
              name,
              protocolVersion,
            ),
        ),
        runs,
      );
    }
  }
}

Deno.test("encoding, decoding and encoding a request again gives the same bytes", () => {
  forEachRequest((bytes, name, protocolVersion) => {
    const message = decodeRequest(bytes, protocolVersion);
    assertEquals(message.name, name);
    assertEquals(
      encodeRequest(message.name, message, protocolVersion),
      bytes,
      name,
    );
  }, [
    ProtocolVersion.NEWEST,
    new ProtocolVersion({ setxattrExt: true }),
    new ProtocolVersion({ minor: 8 }),
    new ProtocolVersion({ minor: 11 }),
  ]);
});

Deno.test("decodeRequest() returns what encodeRequest() was given", () => {
  for (const name of OPCODE_NAMES) {
    fc.assert(
      fc.property(anyRequest(name), (parts) => {
        const protocolVersion = new ProtocolVersion({ setxattrExt: true });
        const message = decodeRequest(
          encodeRequest(name, parts, protocolVersion),
          protocolVersion,
        );
        const { header, body, names, data, items, extensions } = parts;
        assertEquals(message.names, names, name);
        assertEquals(message.data, data, name);
        assertEquals(message.items, items as never, name);
        assertEquals(message.extensions, extensions, name);
        assertEquals(message.rest.length, 0, name);
        assertEquals({ ...message.body, ...body }, message.body as never, name);
        const { unique, nodeid, uid, gid, pid } = message.header;
        assertEquals(
          { ...header, unique, nodeid, uid, gid, pid },
          header as never,
        );
      }),
      RUNS,
    );
  }
});

Deno.test("a request that is cut off at any length is refused", () => {
  forEachRequest(
    (bytes, name) => {
      for (let length = 0; length < bytes.length; length++) {
        const cut = bytes.slice(0, length);
        if (length >= 4) viewOf(cut).setUint32(0, length, true);
        const place = `${name} cut to ${length}`;
        assertThrows(() => decodeRequest(cut), ProtocolError, "", place);
      }
    },
    [ProtocolVersion.NEWEST],
    { numRuns: 4, seed: 7 },
  );
});

Deno.test("a request reads the same in larger, dirty and separate memory", () => {
  forEachRequest((bytes, name) => {
    if (name === "INIT") return;
    const size = ProtocolVersion.NEWEST.bodySize(OPCODES[name].opcode);
    const incoming = new Uint8Array(bytes.length + 64).fill(0xa5);
    incoming.set(bytes);
    const headers = new Uint8Array(288).fill(0xa5);
    const payload = new Uint8Array(8192).fill(0xa5);
    headers.set(bytes.subarray(0, 40));
    headers.set(bytes.subarray(40, 40 + size), 128);
    payload.set(bytes.subarray(40 + size));
    const outgoing = new Uint8Array(16);
    for (
      const { request } of [
        contiguousExchange(incoming, outgoing),
        separateExchange(headers, payload),
      ]
    ) {
      assertEquals(
        request.validate(bytes.length, ProtocolVersion.NEWEST),
        null,
        name,
      );
      assertEquals(request.copy(), bytes, name);
    }
  });
});

Deno.test("decodeRequest() decodes any bytes or throws a ProtocolError", () => {
  const opcode = fc.integer({ min: 0, max: 60 });
  const bytes = fc.uint8Array({ minLength: 40, maxLength: 300 });
  fc.assert(
    fc.property(opcode, bytes, (opcode, message) => {
      const view = viewOf(message);
      view.setUint32(0, message.length, true);
      view.setUint32(4, opcode, true);
      try {
        decodeRequest(message);
      } catch (error) {
        assert(error instanceof ProtocolError, String(error));
      }
    }),
    { numRuns: 5000, seed: 7 },
  );
});

/** Any reply that the kernel accepts. */
function anyReply(name: OpcodeName): fc.Arbitrary<ReplyParts<OpcodeName>> {
  const row: OpcodeRow = OPCODES[name];
  const body: Record<string, fc.Arbitrary<unknown>> = {};
  for (const struct of row.out ?? []) {
    body[struct] = anyStruct(struct).map((fields) => ({
      ...fields,
      // The newest version, so that INIT's struct is whole; no retry of ioctl.
      ...(name === "INIT" ? { minor: 45 } : {}),
      ...(name === "IOCTL" ? { flags: 0 } : {}),
    }));
  }
  const dirents = row.outTail?.startsWith("dirent");
  return fc.record({
    header: anyStruct("fuse_out_header").map((h) => ({ ...h, error: 0 })),
    body: fc.record(body),
    data: row.outTail === undefined || dirents
      ? fc.constant(new Uint8Array())
      : fc.uint8Array({ maxLength: 64 }),
    entries: dirents ? fc.array(anyEntry, { maxLength: 5 }) : fc.constant([]),
  }) as unknown as fc.Arbitrary<ReplyParts<OpcodeName>>;
}

Deno.test("encoding, decoding and encoding a reply again gives the same bytes", () => {
  for (
    const protocolVersion of [
      ProtocolVersion.NEWEST,
      new ProtocolVersion({ minor: 8 }),
    ]
  ) {
    for (const name of OPCODE_NAMES) {
      fc.assert(
        fc.property(anyReply(name), (parts) => {
          const bytes = encodeReply(name, parts, protocolVersion);
          const message = decodeReply(name, bytes, {
            protocolVersion,
            size: 99_999,
          });
          assertEquals(
            encodeReply(name, message, protocolVersion),
            bytes,
            name,
          );
          if (parts.entries?.length) {
            assertEquals(message.entries.length, parts.entries.length);
          }
        }),
        RUNS,
      );
    }
  }
});

Deno.test("decodeReply() decodes any bytes or throws a ProtocolError", () => {
  const bytes = fc.uint8Array({ maxLength: 300 });
  const name = fc.constantFrom(...OPCODE_NAMES);
  fc.assert(
    fc.property(name, bytes, fc.boolean(), (name, message, fix) => {
      if (fix && message.length >= 16) {
        viewOf(message).setUint32(0, message.length, true);
        viewOf(message).setInt32(4, 0, true);
      }
      try {
        decodeReply(name, message, { size: 256 });
      } catch (error) {
        assert(error instanceof ProtocolError, String(error));
      }
    }),
    { numRuns: 5000, seed: 7 },
  );
});

Deno.test("parseDirents() returns what encodeDirents() was given", () => {
  fc.assert(
    fc.property(fc.array(anyEntry), (entries) => {
      assertEquals(parseDirents(encodeDirents(entries)), entries);
    }),
    { numRuns: 300, seed: 7 },
  );
});
