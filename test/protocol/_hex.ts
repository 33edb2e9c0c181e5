/**
 * Annotated hex: formatting and parsing.
 *
 * @module
 */

/** Parses hex text; `#` starts a comment. */
export function unhex(text: string): Uint8Array<ArrayBuffer> {
  const digits = text.replaceAll(/#.*$/gm, "").replaceAll(/\s+/g, "");
  if (!/^(?:[0-9a-f]{2})*$/.test(digits)) {
    throw new SyntaxError(`Cannot read hex: "${digits.slice(0, 40)}"`);
  }
  return Uint8Array.from(
    { length: digits.length / 2 },
    (_, i) => parseInt(digits.slice(2 * i, 2 * i + 2), 16),
  );
}

/** Formats bytes as hex, two digits each. */
export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}
