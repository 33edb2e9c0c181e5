/**
 * The data of files: pages, and holes, which read as zeroes and take no space.
 *
 * @module
 */
import { Errno, PAGE_SIZE } from "@mqfuse/mqfuse/protocol";

/** The pages that all files share. */
export class Space {
  /** The number of pages. */
  readonly pages: number;
  #free: number;

  constructor(bytes: number) {
    this.pages = Math.floor(bytes / PAGE_SIZE);
    this.#free = this.pages;
  }

  /** The number of free pages. */
  get free(): number {
    return this.#free;
  }

  /** Allocates pages: all of them, or none. */
  take(count: number): void {
    if (count > this.#free) throw new Errno("ENOSPC");
    this.#free -= count;
  }

  /** Frees a page. */
  release(): void {
    this.#free++;
  }
}

/** The part of a page within a range. */
interface Piece {
  readonly index: number;
  readonly page: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** The data of one file. Bytes of a page beyond the end of the file are zero. */
export class FileData {
  readonly #space: Space;
  readonly #pages = new Map<number, Uint8Array>();
  #size = 0;

  constructor(space: Space) {
    this.#space = space;
  }

  /** Length in bytes. */
  get size(): number {
    return this.#size;
  }

  /** Allocated space in bytes. */
  get allocated(): number {
    return this.#pages.size * PAGE_SIZE;
  }

  /** Copies bytes out; returns their number, which is smaller at the end. */
  read(offset: number, into: Uint8Array, length: number): number {
    const count = Math.max(0, Math.min(length, this.#size - offset));
    for (let done = 0; done < count;) {
      const start = (offset + done) % PAGE_SIZE;
      const some = Math.min(PAGE_SIZE - start, count - done);
      const page = this.#pages.get(Math.floor((offset + done) / PAGE_SIZE));
      if (page === undefined) into.fill(0, done, done + some);
      else into.set(page.subarray(start, start + some), done);
      done += some;
    }
    return count;
  }

  /** Copies bytes in, and extends the file if necessary. */
  write(offset: number, from: Uint8Array): void {
    this.allocate(offset, from.length);
    for (let done = 0; done < from.length;) {
      const start = (offset + done) % PAGE_SIZE;
      const some = Math.min(PAGE_SIZE - start, from.length - done);
      const page = this.#pages.get(Math.floor((offset + done) / PAGE_SIZE))!;
      page.set(from.subarray(done, done + some), start);
      done += some;
    }
    this.#size = Math.max(this.#size, offset + from.length);
  }

  /** Cuts the file off, or extends it by a hole. */
  truncate(size: number): void {
    this.punch(size, Infinity);
    this.#size = size;
  }

  /** Allocates pages for the holes in a range; the size does not change. */
  allocate(offset: number, length: number): void {
    const first = Math.floor(offset / PAGE_SIZE);
    const end = Math.ceil((offset + length) / PAGE_SIZE);
    // Searching a huge range for holes would take too long.
    if (end - first > this.#space.pages) throw new Errno("ENOSPC");
    const holes: number[] = [];
    for (let index = first; index < end; index++) {
      if (!this.#pages.has(index)) holes.push(index);
    }
    this.#space.take(holes.length);
    for (const index of holes) {
      this.#pages.set(index, new Uint8Array(PAGE_SIZE));
    }
  }

  /** Zeroes a range, and allocates pages for it. */
  zero(offset: number, length: number): void {
    this.allocate(offset, length);
    for (const { page, start, end } of this.#pieces(offset, length)) {
      page.fill(0, start, end);
    }
  }

  /** Zeroes a range, and frees the pages within it. */
  punch(offset: number, length: number): void {
    for (const { index, page, start, end } of this.#pieces(offset, length)) {
      if (end - start < PAGE_SIZE) {
        page.fill(0, start, end);
      } else {
        this.#pages.delete(index);
        this.#space.release();
      }
    }
  }

  /**
   * The first offset at or after `offset` that has data; `null` if none has.
   */
  seekData(offset: number): number | null {
    const from = Math.floor(offset / PAGE_SIZE);
    let nearest = Infinity;
    for (const index of this.#pages.keys()) {
      if (index >= from && index < nearest) nearest = index;
    }
    const found = Math.max(offset, nearest * PAGE_SIZE);
    return found < this.#size ? found : null;
  }

  /** The first offset at or after `offset` in a hole; the end counts as one. */
  seekHole(offset: number): number | null {
    if (offset >= this.#size) return null;
    let index = Math.floor(offset / PAGE_SIZE);
    while (this.#pages.has(index)) index++;
    return Math.min(Math.max(offset, index * PAGE_SIZE), this.#size);
  }

  /** The parts of pages within a range, without holes. */
  *#pieces(offset: number, length: number): Generator<Piece> {
    for (const [index, page] of this.#pages) {
      const start = Math.max(0, offset - index * PAGE_SIZE);
      const end = Math.min(PAGE_SIZE, offset + length - index * PAGE_SIZE);
      if (start < end) yield { index, page, start, end };
    }
  }
}
