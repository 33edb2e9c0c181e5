import type { Backend } from "../backend.ts";
import { mustWrite } from "./must_write.ts";
import type { PartWriter } from "./part_copier.ts";

/** Bytes that are left out if they are zeroes: a page, and a block of most files. */
export const RAW_UNIT = 4096;

/** Writes a disk to a file of zeroes, in one thread. */
export class RawWriter implements PartWriter<null> {
  readonly unit = RAW_UNIT;
  readonly #file: Backend;

  /** Writes to an open file, which has the size of the disk already. */
  constructor(file: Backend) {
    this.#file = file;
  }

  put(
    position: number,
    buffer: Uint8Array<ArrayBuffer>,
    start: number,
    length: number,
  ): Promise<void> {
    return mustWrite(this.#file, position, buffer, start, length);
  }

  async zero(position: number, length: number): Promise<void> {
    const zeroes = new Uint8Array(Math.min(length, 1 << 20));
    for (let done = 0; done < length; done += zeroes.length) {
      const part = Math.min(zeroes.length, length - done);
      await mustWrite(this.#file, position + done, zeroes, 0, part);
    }
  }

  end(): null {
    return null;
  }
}
