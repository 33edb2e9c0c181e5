import { encodeRequest } from "../../src/protocol/mod.ts";
import { viewOf } from "../../src/protocol/codec.ts";
import { ProtocolVersion } from "../../src/protocol/protocol_version.ts";
import { Random } from "../_random.ts";
import { hex, unhex } from "../protocol/_hex.ts";
import { Fuzzer } from "./_fuzz.ts";

/** A damaged message, as `deno task fuzz` prints it. */
interface Damaged {
  readonly kind: "request" | "reply" | "notification";
  readonly bytes: string;
  readonly request?: string;
  readonly minor?: number;
  readonly setxattrExt?: boolean;
}

async function survives(message: Damaged): Promise<void> {
  const { kind, bytes, request, minor = 45, setxattrExt = false } = message;
  const protocolVersion = new ProtocolVersion({ minor, setxattrExt });
  const fuzzer = new Fuzzer(new Random(0));
  const asked = request === undefined ? undefined : unhex(request);
  await fuzzer.try(kind, unhex(bytes), protocolVersion, asked);
}

Deno.test("a name whose NUL is in the extensions does no harm", () => {
  const bytes = encodeRequest("MKDIR", { names: ["1234567"] });
  viewOf(bytes).setUint16(36, 1, true);
  return survives({ kind: "request", bytes: hex(bytes) });
});

Deno.test("a listing that is cut within an entry does no harm", () => {
  const request = encodeRequest("READDIR", { body: { size: 64 } });
  return survives({
    kind: "reply",
    bytes: "2c0000000000000002000000000000000100000000000000" +
      "01000000000000000900000008000000" + "31323334",
    request: hex(request),
  });
});

Deno.test("a WRITE of 7.8 with a wrong size does no harm", () => {
  const old = new ProtocolVersion({ minor: 8 });
  const bytes = encodeRequest("WRITE", { data: Uint8Array.of(1) }, old);
  viewOf(bytes).setUint32(40 + 16, 0xffff_ffff, true);
  return survives({ kind: "request", bytes: hex(bytes), minor: 8 });
});

Deno.test("extensions without an end do no harm", () => {
  const bytes = encodeRequest("SYMLINK", {
    names: ["a", "b"],
    extensions: [{ type: 99, data: new Uint8Array(8) }],
  });
  viewOf(bytes).setUint32(bytes.length - 16, 0, true);
  return survives({ kind: "request", bytes: hex(bytes) });
});
