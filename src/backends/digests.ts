/**
 * Digests of Node's crypto module.
 *
 * @module
 */
import { UserError } from "../base/user_error.ts";

/** The module; `null` until {@linkcode loadDigests} has ended. */
let crypto: typeof import("node:crypto") | null = null;

/**
 * Loads what {@linkcode digests} returns into this thread. It is not imported at
 * the start, because Deno's Node modules want a working directory whose name is
 * UTF-8, which exports of other images do not need.
 *
 * @param what What needs digests, such as "signatures".
 * @throws {UserError} If it cannot be loaded.
 */
export async function loadDigests(what: string): Promise<void> {
  try {
    crypto ??= await import("node:crypto");
  } catch (cause) {
    throw new UserError(
      `Cannot load digests for ${what}: the name of the working directory is not UTF-8; start in another directory`,
      { cause },
    );
  }
}

/** Node's crypto module; {@linkcode loadDigests} must have ended. */
export function digests(): typeof import("node:crypto") {
  if (crypto === null) throw new Error("loadDigests() was not called");
  return crypto;
}
