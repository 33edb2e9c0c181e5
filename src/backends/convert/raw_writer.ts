import type { Backend } from "../backend.ts";
import { allWritten, mustWrite } from "./must_write.ts";
import { type DiskRun, type PartWriter, WRITE_BUFFERS } from "./part_writer.ts";

/** Bytes that are left out if they are zeroes: a page, and a block of most files. */
export const RAW_UNIT = 4096;

/** Writes a disk to a file of zeroes, in one thread. */
export class RawWriter implements PartWriter<null> {
  readonly unit = RAW_UNIT;
  readonly buffers = WRITE_BUFFERS;
  readonly #file: Backend;

  /** Writes to an open file, which has the size of the disk already. */
  constructor(file: Backend) {
    this.#file = file;
  }

  async put(
    buffer: Uint8Array<ArrayBuffer>,
    runs: readonly DiskRun[],
  ): Promise<void> {
    await allWritten(
      runs.map(({ position, start, length }) =>
        mustWrite(this.#file, position, buffer, start, length)
      ),
    );
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
