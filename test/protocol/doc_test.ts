import { assertEquals } from "@std/assert";
import { protocolDoc } from "../../docs/_protocol_doc.ts";
import written from "../../docs/PROTOCOL.md" with { type: "text" };

Deno.test("docs/PROTOCOL.md is what `deno task doc:protocol` writes", () => {
  assertEquals(written, protocolDoc());
});
