/**
 * SOURCE as the command line and the library take it.
 *
 * @module
 */
import { UserError } from "../base/user_error.ts";
import { parseSize } from "./size.ts";

/** What a disk image is to be made of. */
export type ImageSource =
  /** A disk that reads as zeroes. */
  | { readonly kind: "null"; readonly size: number }
  /** A disk in memory. */
  | { readonly kind: "memory"; readonly size: number }
  /** A disk whose bytes tell their position. */
  | { readonly kind: "pattern"; readonly size: number }
  /** A raw image in a file or block device. */
  | { readonly kind: "file"; readonly path: string };

/**
 * Reads a SOURCE: `null:SIZE`, `memory:SIZE`, `pattern:SIZE`, or a path. A
 * path that looks like one of those is written `./null:1G`.
 *
 * @param text What was written.
 * @throws {UserError} If a size is not one, or 0.
 */
export function parseSource(text: string): ImageSource {
  const match = /^(null|memory|pattern):(.*)$/.exec(text);
  if (match === null) return { kind: "file", path: text };
  const kind = match[1] as "null" | "memory" | "pattern";
  const size = parseSize(match[2]!);
  if (size === 0) {
    throw new UserError(
      `Cannot make an empty disk "${text}": give it a size, such as ${kind}:1G`,
    );
  }
  return { kind, size };
}
