/**
 * Writes docs/PROTOCOL.md: `deno task doc:protocol`.
 *
 * @module
 */
import { protocolDoc } from "./_protocol_doc.ts";

await Deno.writeTextFile(
  new URL("PROTOCOL.md", import.meta.url),
  protocolDoc(),
);
