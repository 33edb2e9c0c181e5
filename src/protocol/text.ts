/**
 * Names between text and bytes. Linux knows names as bytes; most are UTF-8.
 *
 * @module
 */

/** A name: text, or its bytes where those are not UTF-8. */
export type Name = string | Uint8Array;

const ENCODER = new TextEncoder();
const LOOSE = new TextDecoder("utf-8", { ignoreBOM: true });
const STRICT = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

/** The bytes of a name, without a NUL. */
export function bytesOfName(name: Name): Uint8Array {
  return typeof name === "string" ? ENCODER.encode(name) : name;
}

/** A name of bytes: text where they are UTF-8, a copy of them otherwise. */
export function nameOfBytes(bytes: Uint8Array): Name {
  const copy = bytes.slice();
  try {
    return STRICT.decode(copy);
  } catch {
    return copy;
  }
}

/** Text of bytes, whatever they are; those that are not UTF-8 show as U+FFFD. */
export function textOfBytes(bytes: Uint8Array): string {
  // TextDecoder refuses shared memory, which a queue across Workers uses.
  return LOOSE.decode(bytes.slice());
}

/**
 * Where the first NUL from `start` on lies before `end`, -1 if there is none.
 * Looks at nothing behind `end`.
 */
export function indexOfNul(
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  for (let at = start; at < end; at++) if (bytes[at] === 0) return at;
  return -1;
}
