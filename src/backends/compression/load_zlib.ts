import { loadNodeModule } from "../../base/load_node_module.ts";

/**
 * Loads zlib into this thread.
 *
 * @param what What has compressed bytes, such as "a qcow2 image".
 * @throws {UserError} If it cannot be loaded.
 */
export function loadZlib(what: string): Promise<typeof import("node:zlib")> {
  return loadNodeModule(() => import("node:zlib"), `zlib for ${what}`);
}
