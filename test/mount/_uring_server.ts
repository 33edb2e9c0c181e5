/**
 * Mounts an export as its argument says, one JSON object, until SIGTERM.
 *
 * @module
 */
import { mountExport } from "../../src/session/mount_export.ts";

// deno-lint-ignore no-console -- what it prints is what the tests read
const print = (event: unknown) => console.log(JSON.stringify(event));

try {
  const session = await mountExport(JSON.parse(Deno.args[0]!));
  Deno.addSignalListener("SIGTERM", () => void session.close());
  print({ transport: session.transport });
  print(await session.closed);
} catch (error) {
  print({ failed: (error as Error).message });
}
Deno.exit();
