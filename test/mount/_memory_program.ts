// deno-lint-ignore-file no-console -- a program that talks to a test
/**
 * Mounts examples/memory.ts: OPTIONS, as JSON, and MOUNTPOINT.
 *
 * @module
 */
import { MemoryFs } from "../../examples/memory.ts";
import { fileTime } from "../../mod.ts";
import { mountFileSystem } from "../../fs.ts";

const [options, mountpoint] = Deno.args;
const session = await mountFileSystem(new MemoryFs(fileTime), mountpoint!, {
  name: "memory",
  signals: true,
  ...JSON.parse(options!),
});
console.log("Serving");
const { clean, problems } = await session.closed;
for (const problem of problems) console.error(problem);
Deno.exitCode = clean ? 0 : 1;
