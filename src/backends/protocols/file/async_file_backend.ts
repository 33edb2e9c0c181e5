import { ERRNO } from "../../../base/errno.ts";
import { FALLOC_FL } from "../../../base/file_flags.ts";
import type { FileIo } from "../../../event/file_io.ts";
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

/** Options of an {@linkcode AsyncFileBackend}. */
export interface AsyncFileOptions {
  /** The open file; `close()` leaves it open: other threads use it too. */
  readonly file: BlockFile;
  /** Asynchronous file I/O of this thread. */
  readonly io: FileIo;
  /** Its name in messages. */
  readonly name: string;
  /** Whether it was opened for writing. */
  readonly writable: boolean;
}

/**
 * A file whose slow calls are asynchronous, so that many can be in flight.
 *
 * Copies from and to the page cache take less time than a submission and a
 * completion, so they are made synchronously. Calls that wait for the medium
 * are asynchronous: reads of uncached bytes, direct I/O and flushes.
 */
export class AsyncFileBackend implements Backend {
  readonly name: string;
  readonly shared = true;
  readonly writable: boolean;
  readonly #plain: FileBackend;
  readonly #file: BlockFile;
  readonly #direct: DirectFile | null;
  readonly #io: FileIo;
  readonly #inMemory: boolean;
  /** Whether the kernel can read without waiting for the medium. */
  #readsNow = true;

  /** Serves an open file. */
  constructor(options: AsyncFileOptions) {
    const { file, io, name, writable } = options;
    this.name = name;
    this.writable = writable;
    this.#plain = new FileBackend(file, name, writable);
    this.#file = file;
    this.#direct = file instanceof DirectFile ? file : null;
    this.#io = io;
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
    if (this.#inMemory) {
      return this.#plain.read(position, buffer, start, length);
    }
    let fd = this.#file.fd;
    if (this.#direct !== null) {
      fd = this.#direct.fdFor(position, length);
    } else if (this.#readsNow && this.#file.preadNow !== undefined) {
      const got = this.#file.preadNow(buffer, start, length, position);
      if (got === length) return got;
      if (got === -ERRNO.EOPNOTSUPP) this.#readsNow = false;
    }
    const fallback = this.#file.fd;
    const got = this.#io.read(fd, buffer, start, length, position, fallback);
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
    const put = this.#io.write(fd, buffer, start, length, position, fallback);
    return put === -ERRNO.EBUSY
      ? this.#plain.write(position, buffer, start, length)
      : put;
  }

  needsExclusiveWrite(position: number, length: number): boolean {
    return this.#direct?.needsExclusiveWrite(position, length) ?? false;
  }

  flush(): Answer {
    if (this.#inMemory) return this.#plain.flush();
    const result = this.#io.sync(this.#file.fd);
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
    // FileBackend repeats the call, and writes zeroes if the medium cannot zero
    // a range.
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
    return this.#io.allocate(this.#file.fd, mode, position, length);
  }
}
