import { type ByteSource, readRange } from "../byte_source.ts";

/** How much of the archive is read at once, in bytes. */
const CHUNK = 128 * 1024;

/** A source as the library reads it. */
export class ZipSource {
  readonly #source: ByteSource;

  /** Wraps a source. */
  constructor(source: ByteSource) {
    this.#source = source;
  }

  /** The size of the archive in bytes. */
  get size(): number {
    return this.#source.size;
  }

  /** Reads a range; less at the end of the archive. */
  readUint8Array(offset: number, length: number): Promise<Uint8Array> {
    const rest = Math.max(0, this.size - offset);
    return readRange(this.#source, offset, Math.min(length, rest));
  }

  /** The bytes of a range, read as they are wanted. */
  createReadable(
    { offset, size }: { offset: number; size: number },
  ): ReadableStream<Uint8Array> {
    const source = this.#source;
    let [at, end] = [offset, offset + size];
    return new ReadableStream({
      async pull(controller) {
        const length = Math.min(CHUNK, end - at);
        if (length === 0) return controller.close();
        controller.enqueue(await readRange(source, at, length));
        at += length;
      },
    }, { highWaterMark: 0 });
  }
}
