/**
 * File names as text and as bytes. To Linux a name is bytes; most are UTF-8.
 *
 * @module
 */
import { encodeName } from "../base/name_bytes.ts";

/**
 * A name: text, or its bytes where those are not UTF-8.
 *
 * @category Whole messages
 */
export type Name = string | Uint8Array;

const LOOSE = new TextDecoder("utf-8", { ignoreBOM: true });
const STRICT = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

/**
 * The bytes of a name, without a NUL. Bytes that are not UTF-8 may also be the
 * lone surrogates of `decodeName()`.
 *
 * @category Whole messages
 */
export function bytesOfName(name: Name): Uint8Array {
  return typeof name === "string" ? encodeName(name) : name;
}

/**
 * The name that bytes spell: text where they are UTF-8, a copy of the bytes
 * otherwise.
 *
 * @category Whole messages
 */
export function nameOfBytes(bytes: Uint8Array): Name {
  const copy = bytes.slice();
  try {
    return STRICT.decode(copy);
  } catch {
    return copy;
  }
}

/** Decodes bytes as text; bytes that are not UTF-8 become U+FFFD. */
export function textOfBytes(bytes: Uint8Array): string {
  // A copy, because TextDecoder refuses shared memory, where queues between
  // Workers keep their messages.
  return LOOSE.decode(bytes.slice());
}

/** The index of the first NUL from `start` up to `end`, -1 if there is none. */
export function indexOfNul(
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  for (let at = start; at < end; at++) if (bytes[at] === 0) return at;
  return -1;
}
