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
import { FileBackend, type FileWindow } from "./file_backend.ts";
import type { FileIo } from "../../../event/file_io.ts";

/** What a {@linkcode RingFileBackend} is made of. */
export interface RingFileOptions {
  /** The open file; `close()` leaves it open, since Workers share it. */
  readonly file: BlockFile;
  /** Takes the I/O of this thread. */
  readonly ring: FileIo;
  /** How messages call it. */
  readonly name: string;
  /** Whether it was opened for writing. */
  readonly writable: boolean;
  /** Which part of the file is the image; all of it if left out. */
  readonly window?: FileWindow;
}

/**
 * A raw image whose slow calls a ring makes, many at once.
 *
 * What comes from the page cache, or goes there, takes less than a submission
 * and a completion; it is done at once. The ring gets what waits for the
 * medium: reads of what is not cached, direct I/O, and flushing.
 */
export class RingFileBackend implements Backend {
  readonly name: string;
  readonly shared = true;
  readonly writable: boolean;
  readonly #plain: FileBackend;
  readonly #file: BlockFile;
  readonly #direct: DirectFile | null;
  readonly #ring: FileIo;
  readonly #offset: number;
  readonly #inMemory: boolean;
  #tellsWaits = true;

  /** Serves an open file. */
  constructor(options: RingFileOptions) {
    const { file, ring, name, writable, window = {} } = options;
    this.name = name;
    this.writable = writable;
    this.#plain = new FileBackend(file, name, writable, window);
    this.#file = file;
    this.#direct = file instanceof DirectFile ? file : null;
    this.#ring = ring;
    this.#offset = window.offset ?? 0;
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
    const at = this.#offset + position;
    let fd = this.#file.fd;
    if (this.#inMemory) {
      return this.#plain.read(position, buffer, start, length);
    }
    if (this.#direct !== null) {
      fd = this.#direct.fdFor(at, length);
    } else if (this.#tellsWaits && this.#file.preadNow !== undefined) {
      const got = this.#file.preadNow(buffer, start, length, at);
      if (got === length) return got;
      if (got === -ERRNO.EOPNOTSUPP) this.#tellsWaits = false;
    }
    const fallback = this.#file.fd;
    const got = this.#ring.read(fd, buffer, start, length, at, fallback);
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
    const at = this.#offset + position;
    const fd = this.#direct.fdFor(at, length);
    const fallback = this.#file.fd;
    const put = this.#ring.write(fd, buffer, start, length, at, fallback);
    return put === -ERRNO.EBUSY
      ? this.#plain.write(position, buffer, start, length)
      : put;
  }

  needsExclusiveWrite(position: number, length: number): boolean {
    return this.#direct?.needsExclusiveWrite(this.#offset + position, length) ??
      false;
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
    // What the medium refuses is refused again there, or written.
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
    const at = this.#offset + position;
    return this.#ring.allocate(this.#file.fd, mode, at, length);
  }
}
