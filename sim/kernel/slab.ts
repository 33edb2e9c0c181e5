const SLAB_SIZE = 65536;
const ALIGNMENT = 8;

/**
 * Small pieces of memory, cut from larger ones: a buffer of its own for each
 * request's struct would cost more than all else that is done with it. What
 * was cut is never used again.
 */
export class Slab {
  /** The memory that the last piece lies in. */
  view: DataView<ArrayBuffer> = new DataView(new ArrayBuffer(SLAB_SIZE));
  #used = 0;

  /** Cuts off a piece of `size` zero bytes; returns where it starts. */
  take(size: number): number {
    if (this.#used + size > SLAB_SIZE) {
      this.view = new DataView(new ArrayBuffer(SLAB_SIZE));
      this.#used = 0;
    }
    const at = this.#used;
    this.#used += Math.ceil(size / ALIGNMENT) * ALIGNMENT;
    return at;
  }

  /** The bytes of the piece that was cut last. */
  bytes(at: number, size: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.view.buffer, at, size);
  }
}
