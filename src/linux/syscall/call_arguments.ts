/**
 * Arguments that cost more than the call they belong to unless remembered:
 * addresses of buffers, and lengths as bigints.
 *
 * @module
 */

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
