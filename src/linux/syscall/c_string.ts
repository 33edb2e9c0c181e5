/**
 * Strings as C has them: UTF-8 bytes with a NUL at the end.
 *
 * @module
 */
import { UserError } from "../../base/user_error.ts";

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();

/**
 * A string as a `const char *` argument.
 *
 * @param text Any text without a NUL character.
 * @throws {UserError} If `text` has a NUL, at which C would cut it off.
 */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  if (text.includes("\0")) {
    throw new UserError(
      `Cannot pass ${
        JSON.stringify(text)
      } to the system: it has a NUL character (use a name without one)`,
    );
  }
  return ENCODER.encode(`${text}\0`);
}

/**
 * The text before the first NUL of a buffer that a C function filled.
 *
 * @param bytes The buffer.
 * @param length Bytes to look at, if the function told how many it wrote.
 */
export function textOf(
  bytes: Uint8Array<ArrayBuffer>,
  length: number = bytes.byteLength,
): string {
  const filled = bytes.subarray(0, length);
  const end = filled.indexOf(0);
  return DECODER.decode(end < 0 ? filled : filled.subarray(0, end));
}

/**
 * The text that a `char *` result points to.
 *
 * @param pointer What the function returned.
 * @returns `null` for a null pointer.
 */
export function textAt(pointer: Deno.PointerValue): string | null {
  return pointer === null ? null : Deno.UnsafePointerView.getCString(pointer);
}
