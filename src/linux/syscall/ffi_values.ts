/**
 * Values that cross the border to C: strings, addresses of buffers, lengths.
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

/**
 * Addresses of buffers. Making a pointer object takes longer than passing one,
 * and the same few buffers come again and again.
 *
 * An address stays right as long as the view's buffer is neither detached
 * (transferred) nor resized.
 */
export class BufferPointers {
  #last: Uint8Array | undefined;
  #lastPointer: Deno.PointerValue = null;
  // Weak, so that remembering a buffer does not keep it.
  readonly #known: WeakMap<Uint8Array, Deno.PointerValue> = new WeakMap();

  /**
   * The address of a view's first byte.
   *
   * @param view Over an ArrayBuffer or a SharedArrayBuffer.
   * @returns `null` possibly, if the view is empty.
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

/** Addresses of buffers as numbers, for structs that hold addresses. */
export class BufferAddresses {
  // Weak, so that remembering a buffer does not keep it.
  readonly #known: WeakMap<Uint8Array, number> = new WeakMap();

  /**
   * The address of a view's first byte; user addresses are exact as numbers.
   *
   * @param view Over an ArrayBuffer or a SharedArrayBuffer.
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

/** The bigint of the last number asked for, so that a constant size allocates nothing. */
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
 * The address of a view's first byte, for one use or to be kept with the view.
 *
 * @param view Over an ArrayBuffer or a SharedArrayBuffer.
 */
export function pointerOf(view: Uint8Array): Deno.PointerValue {
  // Asking for the buffer moves a small array's bytes out of V8's heap, where
  // a collection could move them later. Deno takes shared ones; its type does not.
  void view.buffer;
  return Deno.UnsafePointer.of(view as Uint8Array<ArrayBuffer>);
}
