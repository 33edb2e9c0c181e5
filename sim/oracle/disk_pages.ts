import { PAGE_SIZE } from "../../src/base/limits.ts";

/** The bytes of a disk; pages that were never used take no memory. */
export class DiskPages {
  readonly #initial: ((position: number, into: Uint8Array) => void) | undefined;
  readonly #pages: Map<number, Uint8Array> = new Map();

  /**
   * Makes a disk.
   *
   * @param initial Fills in the initial bytes from a position on; zeroes if
   * left out.
   */
  constructor(
    initial: ((position: number, into: Uint8Array) => void) | undefined,
  ) {
    this.#initial = initial;
  }

  /** Writes bytes; `null` stands for zeroes. */
  put(position: number, data: Uint8Array | null, length: number): void {
    for (let i = 0; i < length;) {
      const page = this.#page(position + i);
      const start = (position + i) % PAGE_SIZE;
      const count = Math.min(PAGE_SIZE - start, length - i);
      if (data === null) page.fill(0, start, start + count);
      else page.set(data.subarray(i, i + count), start);
      i += count;
    }
  }

  /**
   * Writes bytes like {@linkcode DiskPages.put}, and may keep their memory
   * instead of copying.
   *
   * @param position Where they are written.
   * @param data The bytes, in a buffer of their own.
   * @returns A buffer for the caller to use instead.
   */
  exchange(position: number, data: Uint8Array): Uint8Array {
    if (position % PAGE_SIZE !== 0 || data.length !== PAGE_SIZE) {
      this.put(position, data, data.length);
      return data;
    }
    const page = this.#page(position);
    this.#pages.set(position / PAGE_SIZE, data);
    return page;
  }

  /** The bytes from a position up to the end of the page. */
  at(position: number, length: number): Uint8Array {
    const start = position % PAGE_SIZE;
    return this.#page(position).subarray(start, start + length);
  }

  /** Whether the disk has exactly these bytes at a position. */
  holds(position: number, bytes: Uint8Array): boolean {
    for (let i = 0; i < bytes.length;) {
      const page = this.#page(position + i);
      const start = (position + i) % PAGE_SIZE;
      const count = Math.min(PAGE_SIZE - start, bytes.length - i);
      const isAll = count === bytes.length;
      const piece = isAll ? bytes : bytes.subarray(i, i + count);
      if (!areBytesEqual(page, start, piece)) return false;
      i += count;
    }
    return true;
  }

  #page(position: number): Uint8Array {
    const index = Math.floor(position / PAGE_SIZE);
    let page = this.#pages.get(index);
    if (page === undefined) {
      page = new Uint8Array(PAGE_SIZE);
      this.#initial?.(index * PAGE_SIZE, page);
      this.#pages.set(index, page);
    }
    return page;
  }
}

const WORD = 8;

/** Whether bytes are equal to those of `held` from `start` on. */
export function areBytesEqual(
  held: Uint8Array,
  start: number,
  bytes: Uint8Array,
): boolean {
  const { length } = bytes;
  const heldAt = held.byteOffset + start;
  let i = 0;
  if (heldAt % WORD === 0 && bytes.byteOffset % WORD === 0) {
    const count = Math.floor(length / WORD);
    i = WORD * count;
    const isSame = areWordsEqual(
      new BigInt64Array(held.buffer, heldAt, count),
      new BigInt64Array(bytes.buffer, bytes.byteOffset, count),
    );
    if (!isSame) return false;
  }
  for (; i < length; i++) if (held[start + i] !== bytes[i]) return false;
  return true;
}

/** A loop over arrays of one type, whose 64-bit words are never boxed. */
function areWordsEqual(a: BigInt64Array, b: BigInt64Array): boolean {
  for (let i = 0; i < b.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
