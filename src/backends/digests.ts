/**
 * Digests of Node's crypto module.
 *
 * @module
 */
import { loadNodeModule } from "../base/load_node_module.ts";

/** The module; `null` until {@linkcode loadDigests} has ended. */
let crypto: typeof import("node:crypto") | null = null;

/**
 * Loads what {@linkcode digests} returns into this thread.
 *
 * @param what What needs digests, such as "signatures".
 * @throws {UserError} If it cannot be loaded.
 */
export async function loadDigests(what: string): Promise<void> {
  crypto ??= await loadNodeModule(
    () => import("node:crypto"),
    `digests for ${what}`,
  );
}

/** Node's crypto module; {@linkcode loadDigests} must have ended. */
export function digests(): typeof import("node:crypto") {
  if (crypto === null) throw new Error("loadDigests() was not called");
  return crypto;
}
