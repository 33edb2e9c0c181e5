import type { Answer } from "../../backends/backend.ts";
import { FilterBackend } from "../../backends/filter_backend.ts";
import type { FileBackend } from "../../backends/protocols/file/file_backend.ts";
import { type FileWrite, writeAllInPool } from "../../linux/io/pool_calls.ts";

/** To hand fewer bytes to another thread takes longer than to write them. */
const POOL_FROM = 128 << 10;

/**
 * The file of a new image, which another thread writes while this one reads on.
 * That thread makes the writes of a file one after another, as the lock of the
 * file's inode would. Writes that are begun together are handed over together.
 */
export class CopyTarget extends FilterBackend {
  readonly #fd: number;
  #begun: (FileWrite & { resolve(result: number): void })[] = [];

  /** Writes to a file, of which it needs the descriptor. */
  constructor(file: FileBackend, fd: number) {
    super(file);
    this.#fd = fd;
  }

  override write(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): Answer {
    const { promise, resolve } = Promise.withResolvers<number>();
    const bytes = buffer.subarray(start, start + length);
    if (this.#begun.length === 0) queueMicrotask(() => this.#handOver());
    this.#begun.push({ position, bytes, resolve });
    return promise;
  }

  async #handOver(): Promise<void> {
    const writes = this.#begun;
    this.#begun = [];
    const all = writes.reduce((sum, { bytes }) => sum + bytes.length, 0);
    if (all < POOL_FROM) {
      for (const { position, bytes, resolve } of writes) {
        const { length } = bytes;
        resolve(await this.image.write(position, bytes, 0, length));
      }
      return;
    }
    const results = await writeAllInPool(this.#fd, writes);
    for (const [i, { resolve }] of writes.entries()) resolve(results[i]!);
  }
}
