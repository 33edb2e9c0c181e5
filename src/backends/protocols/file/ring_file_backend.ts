import { ERRNO } from "../../../base/errno.ts";
import { FALLOC_FL } from "../../../base/file_flags.ts";
import type {
  Answer,
  Backend,
  Extent,
  ImageStat,
  ZeroOptions,
} from "../../backend.ts";
import type { BlockFile } from "../../block_file.ts";
import { DirectFile } from "./direct_file.ts";
import { FileBackend } from "./file_backend.ts";
import type { FileIo } from "../../../event/file_io.ts";

/** Options of a {@linkcode RingFileBackend}. */
export interface RingFileOptions {
  /** The open file; `close()` leaves it open: other threads use it too. */
  readonly file: BlockFile;
  /** Asynchronous file I/O of this thread. */
  readonly ring: FileIo;
  /** What messages call it. */
  readonly name: string;
  /** Whether it was opened for writing. */
  readonly writable: boolean;
}

/**
 * A file whose slow calls are asynchronous, many at once.
 *
 * Copies from and to the page cache take less time than a submission and a
 * completion, so that they are made at once. The ring gets the calls that wait
 * for the medium: reads of uncached bytes, direct I/O and flushes.
 */
export class RingFileBackend implements Backend {
  readonly name: string;
  readonly shared = true;
  readonly writable: boolean;
  readonly #plain: FileBackend;
  readonly #file: BlockFile;
  readonly #direct: DirectFile | null;
  readonly #ring: FileIo;
  readonly #inMemory: boolean;
  #tellsWaits = true;

  /** Serves an open file. */
  constructor(options: RingFileOptions) {
    const { file, ring, name, writable } = options;
    this.name = name;
    this.writable = writable;
    this.#plain = new FileBackend(file, name, writable);
    this.#file = file;
    this.#direct = file instanceof DirectFile ? file : null;
    this.#ring = ring;
    const stat = file.fstat();
    this.#inMemory = typeof stat !== "number" && stat.inMemory === true;
  }

  stat(): ImageStat {
    return this.#plain.stat();
  }

  read(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): Answer {
    let fd = this.#file.fd;
    if (this.#inMemory) {
      return this.#plain.read(position, buffer, start, length);
    }
    if (this.#direct !== null) {
      fd = this.#direct.fdFor(position, length);
    } else if (this.#tellsWaits && this.#file.preadNow !== undefined) {
      const got = this.#file.preadNow(buffer, start, length, position);
      if (got === length) return got;
      if (got === -ERRNO.EOPNOTSUPP) this.#tellsWaits = false;
    }
    const fallback = this.#file.fd;
    const got = this.#ring.read(fd, buffer, start, length, position, fallback);
    return got === -ERRNO.EBUSY
      ? this.#plain.read(position, buffer, start, length)
      : got;
  }

  write(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): Answer {
    if (this.#direct === null || this.#inMemory) {
      return this.#plain.write(position, buffer, start, length);
    }
    const fd = this.#direct.fdFor(position, length);
    const fallback = this.#file.fd;
    const put = this.#ring.write(fd, buffer, start, length, position, fallback);
    return put === -ERRNO.EBUSY
      ? this.#plain.write(position, buffer, start, length)
      : put;
  }

  needsExclusiveWrite(position: number, length: number): boolean {
    return this.#direct?.needsExclusiveWrite(position, length) ?? false;
  }

  flush(): Answer {
    if (this.#inMemory) return this.#plain.flush();
    const result = this.#ring.sync(this.#file.fd);
    return result === -ERRNO.EBUSY ? this.#plain.flush() : result;
  }

  truncate(size: number): number {
    return this.#plain.truncate(size);
  }

  async zero(
    position: number,
    length: number,
    options: ZeroOptions,
  ): Promise<number> {
    const mode = FALLOC_FL.KEEP_SIZE |
      (options.unmap ? FALLOC_FL.PUNCH_HOLE : FALLOC_FL.ZERO_RANGE);
    const result = await this.#allocate(mode, position, length);
    // FileBackend repeats the call, and writes zeroes if the medium cannot.
    return result < 0 ? this.#plain.zero(position, length, options) : result;
  }

  async allocate(position: number, length: number): Promise<number> {
    const result = await this.#allocate(FALLOC_FL.KEEP_SIZE, position, length);
    return result === -ERRNO.EBUSY
      ? this.#plain.allocate(position, length)
      : result;
  }

  extent(position: number): Extent {
    return this.#plain.extent(position);
  }

  setTimes(atime: bigint | null, mtime: bigint | null): number {
    return this.#plain.setTimes(atime, mtime);
  }

  close(): void {}

  #allocate(mode: number, position: number, length: number): Answer {
    return this.#ring.allocate(this.#file.fd, mode, position, length);
  }
}
