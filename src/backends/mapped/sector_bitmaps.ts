/**
 * Bitmaps that say which sectors of a disk an image has, as those of VHD and
 * VHDX. They are read in slices, when they are needed.
 *
 * @module
 */

/** Bytes of a slice. */
export const BITMAP_SLICE = 512;

/** Slices that one thread keeps: a mebibyte. */
const SLICES_MAX = 2048;

/** The slices that one thread has read. They never change. */
export class SectorBitmaps {
  /** By the number of a slice modulo their count. */
  readonly #slots: (Uint8Array | null)[] = [];
  readonly #numbers = new Float64Array(SLICES_MAX).fill(-1);
  readonly #isHighFirst: boolean;

  /**
   * Makes a cache.
   *
   * @param isHighFirst Whether the first sector of a byte has its highest bit.
   */
  constructor(isHighFirst: boolean) {
    this.#isHighFirst = isHighFirst;
  }

  /** The slice of a number; `null` if it is not kept. */
  find(number: number): Uint8Array | null {
    const slot = number % SLICES_MAX;
    return this.#numbers[slot] === number ? this.#slots[slot]! : null;
  }

  /** Keeps a copy of a slice. */
  add(number: number, bytes: Uint8Array): void {
    const slot = number % SLICES_MAX;
    const kept = this.#slots[slot] ??= new Uint8Array(BITMAP_SLICE);
    kept.set(bytes);
    this.#numbers[slot] = number;
  }

  /** Whether the image has a sector. */
  has(slice: Uint8Array, sector: number): boolean {
    const bit = this.#isHighFirst ? 7 - (sector & 7) : sector & 7;
    return (slice[sector >> 3]! >> bit & 1) === 1;
  }

  /** How many sectors from one on are as that one, at most up to another. */
  alike(slice: Uint8Array, from: number, to: number): number {
    const first = this.has(slice, from);
    const whole = first ? 0xff : 0;
    let at = from + 1;
    while (at < to) {
      if ((at & 7) === 0 && at + 8 <= to && slice[at >> 3] === whole) at += 8;
      else if (this.has(slice, at) === first) at++;
      else break;
    }
    return at - from;
  }
}
