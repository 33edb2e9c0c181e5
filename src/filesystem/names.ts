/**
 * Names on the wire, which are bytes, and in the file system, which are strings.
 *
 * @module
 */
import { Errno } from "../base/errno.ts";
import { NAME_MAX } from "../base/limits.ts";
import { decodeName, encodeName } from "../base/name_bytes.ts";
import type { Request } from "../protocol/request.ts";
import type { Name } from "../protocol/text.ts";

/**
 * Reads the name of a directory entry from a request.
 *
 * @param index 1 for the second name of RENAME, 0 for any other.
 * @throws {Errno} ENAMETOOLONG for more than 255 bytes.
 */
export function entryName(request: Request, index: number = 0): string {
  const bytes = request.nameBytes(index);
  if (bytes.length > NAME_MAX) throw new Errno("ENAMETOOLONG");
  return decodeName(bytes);
}

/** Reads the target of a symbolic link, or the name of an attribute. */
export function textOf(request: Request, index: number = 0): string {
  return decodeName(request.nameBytes(index));
}

/** A name as the wire's functions take it: its bytes, if it is not UTF-8. */
export function wireName(name: string): Name {
  return name.isWellFormed() ? name : encodeName(name);
}
