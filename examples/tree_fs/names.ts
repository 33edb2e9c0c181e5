/**
 * File names. They may contain any bytes but "/" and NUL, UTF-8 or not. So a name
 * is kept as a string with one character per byte, which can be the key of a Map.
 *
 * @module
 */
import type { Request } from "@mqfuse/mqfuse";
import { Errno, NAME_MAX } from "@mqfuse/mqfuse/protocol";

/**
 * Reads a name from a request.
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
