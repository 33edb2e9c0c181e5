import type { NewTime } from "../../../base/timespec.ts";
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
import { FileSync, type SyncCounter } from "./file_sync.ts";
import { zeroRange } from "./zero_range.ts";

/** Options of an {@linkcode AsyncFileBackend}. */
export interface AsyncFileOptions {
  /** The open file, which no other thread uses; `close()` closes it. */
  readonly file: BlockFile;
  /** Asynchronous file I/O of this thread. */
  readonly io: FileIo;
  /** Its name in messages. */
  readonly name: string;
  /** Whether it was opened for writing. */
  readonly writable: boolean;
  /** Where the errors of flushes are counted; nowhere if left out. */
  readonly counter?: SyncCounter;
}

/**
 * A file whose calls do not stop the threads that serve it, however slow its
 * medium is or while its file system is frozen.
 *
 * Bytes in the page cache are read at once, which takes less time than a
 * submission and a completion. There is no such way to write: pwritev2(2) with
 * RWF_NOWAIT blocks in a frozen file system too, and few file systems have it.
 * So a write to the page cache blocks the thread where `FileIo.mayBlock()`
 * allows it, because another thread then goes on.
 */
export class AsyncFileBackend implements Backend {
  readonly name: string;
  readonly shared = true;
  readonly writable: boolean;
  readonly #plain: FileBackend;
  readonly #file: BlockFile;
  readonly #direct: DirectFile | null;
  readonly #io: FileIo;
  readonly #sync: FileSync;
  /** Whether the kernel can read without waiting for the medium. */
  #readsNow = true;
  /** The last call of `setTimes()`: they are made one at a time. */
  #settingTimes: Promise<unknown> = Promise.resolve();

  /** Serves an open file. */
  constructor(options: AsyncFileOptions) {
    const { file, io, name, writable, counter = null } = options;
    this.name = name;
    this.writable = writable;
    this.#plain = new FileBackend(file, name, writable);
    this.#file = file;
    this.#direct = file instanceof DirectFile ? file : null;
    this.#io = io;
    this.#sync = new FileSync(file, counter, () => this.#syncFile());
  }

  stat(): Answer<ImageStat> {
    return this.#plain.stat();
  }

  read(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): Answer {
    let fd = this.#file.fd;
    if (this.#direct !== null) {
      fd = this.#direct.fdFor(position, length);
    } else if (this.#readsNow && this.#file.preadNow !== undefined) {
      const got = this.#file.preadNow(buffer, start, length, position);
      if (got === length) return got;
      if (got === -ERRNO.EOPNOTSUPP) this.#readsNow = false;
    }
    const fallback = this.#file.fd;
    return this.#io.read(fd, buffer, start, length, position, fallback);
  }

  write(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): Answer {
    if (this.#direct === null && this.#io.mayBlock()) {
      try {
        return this.#plain.write(position, buffer, start, length);
      } finally {
        this.#io.unblock();
      }
    }
    const fallback = this.#file.fd;
    const fd = this.#direct?.fdFor(position, length) ?? fallback;
    return this.#io.write(fd, buffer, start, length, position, fallback);
  }

  needsExclusiveWrite(position: number, length: number): boolean {
    return this.#direct?.needsExclusiveWrite(position, length) ?? false;
  }

  flush(): Answer {
    return this.#sync.flush();
  }

  async truncate(size: number): Promise<number> {
    const result = await this.#io.truncate(this.#file.fd, size);
    // An io_uring before Linux 6.9 cannot truncate.
    return result === -ERRNO.EINVAL ? this.#plain.truncate(size) : result;
  }

  zero(
    position: number,
    length: number,
    { unmap }: ZeroOptions,
  ): Promise<number> {
    const calls = {
      fallocate: (mode: number, at: number, count: number) =>
        this.#io.allocate(this.#file.fd, mode, at, count),
      write: (at: number, zeroes: Uint8Array, count: number) =>
        this.write(at, zeroes, 0, count),
    };
    return zeroRange(calls, position, length, unmap);
  }

  allocate(position: number, length: number): Answer {
    const { KEEP_SIZE } = FALLOC_FL;
    return this.#io.allocate(this.#file.fd, KEEP_SIZE, position, length);
  }

  extent(position: number): Answer<Extent> {
    return this.#plain.extent(position);
  }

  /**
   * futimens(3) in a thread of Deno's pool, because an io_uring cannot set
   * times. One at a time: calls that wait for a frozen file system must leave
   * most of the pool, which also waits for requests.
   */
  setTimes(atime: NewTime, mtime: NewTime): Answer {
    const file = this.#file;
    if (file.futimensLater === undefined) return file.futimens(atime, mtime);
    const later = () => file.futimensLater!(atime, mtime);
    const result = this.#settingTimes.then(later, later);
    this.#settingTimes = result;
    return result;
  }

  close(): void {
    this.#file.close();
  }

  /** fdatasync(2), by a plain call if this thread may wait. */
  #syncFile(): Answer {
    if (!this.#io.mayBlock()) return this.#io.sync(this.#file.fd);
    try {
      return this.#file.fdatasync();
    } finally {
      this.#io.unblock();
    }
  }
}
