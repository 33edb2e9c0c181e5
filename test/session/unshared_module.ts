/**
 * A backend module for the tests: a disk whose bytes are in the thread that
 * made it, so that two threads would have two disks.
 */
import { ImageBackend } from "../../mod.ts";

class UnsharedDisk extends ImageBackend {
  override readonly writable = true;
  readonly size: number;
  readonly #bytes: Uint8Array;

  constructor(size: number) {
    super("unshared-module");
    this.size = size;
    this.#bytes = new Uint8Array(size);
  }

  async read(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): Promise<number> {
    await Promise.resolve();
    buffer.set(this.#bytes.subarray(position, position + length), start);
    return length;
  }

  override write(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): number {
    this.#bytes.set(buffer.subarray(start, start + length), position);
    return length;
  }
}

/** Makes the backend; `options` is its size. */
export default function makeBackend(options: unknown): ImageBackend {
  return new UnsharedDisk(options as number);
}
