/**
 * Arguments and results of C functions: strings, addresses of buffers, lengths.
 *
 * @module
 */

import { decodeName, encodeName, isName } from "../../base/name_bytes.ts";
import { UserError } from "../../base/user_error.ts";

/**
 * Encodes a string as a `const char *` argument: the bytes of a name, with a NUL
 * at the end.
 *
 * @param text Any text without a NUL character.
 * @throws {UserError} If `text` has a NUL, where C would end the string, or is
 * no text.
 */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  if (text.includes("\0")) refuseName(text, "a NUL character");
  if (!isName(text)) refuseName(text, "half of a surrogate pair");
  return encodeName(`${text}\0`);
}

function refuseName(text: string, what: string): never {
  throw new UserError(
    `Cannot use ${
      JSON.stringify(text)
    } as a path or name: it contains ${what} (remove it)`,
  );
}

/**
 * Decodes the text before the first NUL of a buffer that a C function filled.
 *
 * @param bytes The buffer.
 * @param length Bytes that the function wrote; the whole buffer by default.
 */
export function textOf(
  bytes: Uint8Array<ArrayBuffer>,
  length: number = bytes.byteLength,
): string {
  const filled = bytes.subarray(0, length);
  const end = filled.indexOf(0);
  return decodeName(end < 0 ? filled : filled.subarray(0, end));
}

/**
 * Decodes the text that a `char *` points to.
 *
 * @param pointer The pointer.
 * @returns `null` for a null pointer.
 */
export function textAt(pointer: Deno.PointerValue): string | null {
  if (pointer === null) return null;
  const view = new Deno.UnsafePointerView(pointer);
  let length = 0;
  while (view.getUint8(length) !== 0) length++;
  const bytes = new Uint8Array(length);
  view.copyInto(bytes);
  return decodeName(bytes);
}

/**
 * A cache of the addresses of buffers. Creating a pointer object takes longer
 * than the call that uses it, and the hot path uses the same few buffers.
 *
 * An address stays valid until the view's buffer is detached (transferred) or
 * resized.
 */
export class BufferPointers {
  #last: Uint8Array | undefined;
  #lastPointer: Deno.PointerValue = null;
  // Weak, so that the cache does not keep buffers alive.
  readonly #known: WeakMap<Uint8Array, Deno.PointerValue> = new WeakMap();

  /**
   * The address of a view's first byte.
   *
   * @param view A view of an ArrayBuffer or a SharedArrayBuffer.
   * @returns Possibly `null` for an empty view.
   */
  of(view: Uint8Array): Deno.PointerValue {
    if (view === this.#last) return this.#lastPointer;
    let pointer = this.#known.get(view);
    if (pointer === undefined) {
      pointer = pointerOf(view);
      this.#known.set(view, pointer);
    }
    this.#last = view;
    this.#lastPointer = pointer;
    return pointer;
  }
}

/** A cache of the addresses of buffers as numbers, for structs that hold them. */
export class BufferAddresses {
  // Weak, so that the cache does not keep buffers alive.
  readonly #known: WeakMap<Uint8Array, number> = new WeakMap();

  /**
   * The address of a view's first byte. Addresses of user space are exact as
   * numbers.
   *
   * @param view A view of an ArrayBuffer or a SharedArrayBuffer.
   */
  of(view: Uint8Array): number {
    let address = this.#known.get(view);
    if (address === undefined) {
      address = Number(Deno.UnsafePointer.value(pointerOf(view)));
      this.#known.set(view, address);
    }
    return address;
  }
}

/**
 * Converts numbers to bigints, and allocates only if the number has changed.
 */
export class LastBigint {
  #number = 0;
  #bigint = 0n;

  /**
   * A whole number as a bigint.
   *
   * @param value A length in bytes.
   */
  of(value: number): bigint {
    if (value !== this.#number) {
      this.#bigint = BigInt(value);
      this.#number = value;
    }
    return this.#bigint;
  }
}

/**
 * The address of a view's first byte. Keep the view reachable while it is used.
 *
 * @param view A view of an ArrayBuffer or a SharedArrayBuffer.
 */
export function pointerOf(view: Uint8Array): Deno.PointerValue {
  // Reading `buffer` moves the bytes of a small array out of V8's heap, where a
  // garbage collection could move them. Deno accepts shared memory although its
  // type does not.
  void view.buffer;
  return Deno.UnsafePointer.of(view as Uint8Array<ArrayBuffer>);
}
