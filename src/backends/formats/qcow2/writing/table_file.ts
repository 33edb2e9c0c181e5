import { ERRNO } from "../../../../base/errno.ts";
import type { Backend } from "../../../backend.ts";
import type { SliceChanges } from "./slice_changes.ts";
import { bytesOf } from "../write_fully.ts";
import { fully, type Soon, type Steps, stepsOf } from "./steps.ts";

/** There is no room in the cache until changed slices were written. */
export const NO_ROOM = -100_000;

/** Bytes of zeroes that are written at once. */
const ZEROES = new Uint8Array(65_536);

/** The file with the tables of an image, as words in host order. */
export class TableFile {
  readonly file: Backend;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #words: Int32Array<ArrayBuffer>;

  /** Wraps a file whose tables are cached in slices of a size. */
  constructor(file: Backend, sliceSize: number) {
    this.file = file;
    this.#bytes = new Uint8Array(sliceSize);
    this.#words = new Int32Array(sliceSize / 4);
  }

  /**
   * Finds a slice in a cache, or reads it into the cache. Called by the owner of
   * the metadata lock.
   *
   * @param host Where the slice is in the file.
   * @returns Its slot, {@linkcode NO_ROOM}, or a negated errno.
   */
  load(cache: SliceChanges, slice: number, host: number): Soon {
    const slot = cache.find(slice);
    return slot >= 0 ? slot : this.#bring(cache, slice, host);
  }

  *#bring(cache: SliceChanges, slice: number, host: number): Steps {
    for (;;) {
      const slot = cache.find(slice);
      if (slot >= 0) return slot;
      const changes = cache.changes(slice);
      const bytes = new Uint8Array(this.#bytes.length);
      const error = yield* this.read(host, bytes);
      if (error < 0) return error;
      const words = wordsOf(bytes, this.#words);
      if (!cache.add(slice, words, changes) && cache.isFull(slice)) {
        return NO_ROOM;
      }
    }
  }

  /** Reads bytes; where the file ends, the table is damaged. */
  *read(host: number, bytes: Uint8Array): Steps {
    const read = (done: number) =>
      this.file.read(host + done, bytes, done, bytes.length - done);
    return yield* stepsOf(fully(read, bytes.length, -ERRNO.EIO));
  }

  /** Writes bytes. */
  *write(host: number, bytes: Uint8Array): Steps {
    const write = (done: number) =>
      this.file.write(host + done, bytes, done, bytes.length - done);
    return yield* stepsOf(fully(write, bytes.length, -ERRNO.EIO));
  }

  /** Writes words. */
  *writeWords(host: number, words: ArrayLike<number>): Steps {
    return yield* this.write(host, bytesOf(words));
  }

  /** Writes zeroes. */
  *writeZeroes(host: number, length: number): Steps {
    for (let done = 0; done < length;) {
      const part = Math.min(ZEROES.length, length - done);
      const error = yield* this.write(host + done, ZEROES.subarray(0, part));
      if (error < 0) return error;
      done += part;
    }
    return 0;
  }
}

function wordsOf(
  bytes: Uint8Array<ArrayBuffer>,
  words: Int32Array<ArrayBuffer>,
): Int32Array {
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < words.length; i++) words[i] = view.getInt32(4 * i);
  return words;
}

/** A word as an unsigned entry of 64 bits is made of two. */
export function entryWords(value: number, flags: number = 0): [number, number] {
  return [Math.floor(value / 2 ** 32) | flags, value % 2 ** 32 | 0];
}
