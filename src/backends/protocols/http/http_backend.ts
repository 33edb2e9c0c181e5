import type { Answer, ImageStat } from "../../backend.ts";
import { ImageBackend } from "../../image_backend.ts";
import { BLOCK } from "../../block_cache/block_cache.ts";
import { cacheOwner } from "../../mapped/slice_cache.ts";
import type { ObjectReader } from "./object_reader.ts";

/** An object of a web server, read by one thread. */
export class HttpBackend extends ImageBackend {
  override readonly shared = true;
  /**
   * Without an io_uring, blocks come by promises: also those that other threads
   * wait for after this one has answered.
   */
  readonly background: boolean;
  readonly size: number;
  readonly #reader: ObjectReader;
  readonly #closed: () => void;

  /**
   * Uses a reader, which `close()` closes.
   *
   * @param hasRing Whether its thread takes bytes while it sleeps.
   * @param closed Called after that.
   */
  constructor(
    name: string,
    size: number,
    reader: ObjectReader,
    hasRing: boolean,
    closed: () => void,
  ) {
    super(name);
    this.background = !hasRing;
    this.#closed = closed;
    this.size = size;
    this.#reader = reader;
  }

  override stat(): ImageStat {
    return { size: this.size, allocated: null, blockSize: BLOCK, times: null };
  }

  read(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): Answer {
    return this.#reader.read(position, buffer, start, length);
  }

  queueEnded(queue: number): void {
    this.#reader.threadEnded(cacheOwner(queue));
  }

  override close(): void {
    this.#reader.close();
    this.#closed();
  }
}
