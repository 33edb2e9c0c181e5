import { ERRNO, errnoName } from "../../base/errno.ts";
import { UserError } from "../../base/user_error.ts";
import type { Backend } from "../backend.ts";
import { readFully } from "../read_fully.ts";

/** An image that is read part by part. */
export class PartReader {
  readonly #image: Backend;
  readonly #size: number;

  /**
   * Reads an image.
   *
   * @param size From where on it reads as zeroes. Infinity if it has to have all
   * that is read: what is missing is an error then.
   */
  constructor(image: Backend, size: number) {
    this.#image = image;
    this.#size = size;
  }

  /**
   * Reads a range, and fills the buffer with zeroes up to whole units.
   *
   * @throws {UserError} If it cannot be read.
   */
  async read(
    position: number,
    buffer: Uint8Array<ArrayBuffer>,
    start: number,
    length: number,
    unit: number,
  ): Promise<void> {
    const image = this.#image;
    const there = Math.max(0, Math.min(length, this.#size - position));
    const got = await readFully(image, position, buffer, start, there);
    if (got !== there) {
      const error = got < 0 ? -got : ERRNO.EIO;
      throw new UserError(
        `Cannot read ${image.name} at byte ${position} (${
          errnoName(error)
        }): a part of it is missing or damaged, or its storage fails; compare it with its source`,
      );
    }
    buffer.fill(0, start + there, start + Math.ceil(length / unit) * unit);
  }
}
