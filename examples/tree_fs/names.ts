/**
 * File names. Linux allows any bytes but "/" and NUL in them, UTF-8 or not, so
 * a name is kept as a string with one character a byte: nothing gets lost, and
 * it can be a key.
 *
 * @module
 */
import { Errno, NAME_MAX } from "../../src/protocol/mod.ts";
import type { Request } from "../../mod.ts";

/**
 * Reads a name of a request.
 *
 * @param index 1 for the second name of RENAME, 0 for any other.
 */
export function readName(request: Request, index = 0): string {
  const bytes = request.nameBytes(index);
  if (bytes.length > NAME_MAX) throw new Errno("ENAMETOOLONG");
  return String.fromCharCode(...bytes);
}

/** The bytes of a name. */
export function nameBytes(name: string): Uint8Array {
  return Uint8Array.from(name, (character) => character.charCodeAt(0));
}
