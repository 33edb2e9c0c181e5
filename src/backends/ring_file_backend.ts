import type {
  Answer,
  Backend,
  Extent,
  ImageStat,
  ZeroOptions,
} from "./backend.ts";
import type { BlockFile } from "./block_file.ts";
import { FileBackend, type FileWindow } from "./file_backend.ts";
import type { FileRing } from "./file_ring.ts";

const EBUSY = 16;

/** What a {@linkcode RingFileBackend} is made of. */
export interface RingFileOptions {
  /** The open file; `close()` leaves it open, since Workers share it. */
  readonly file: BlockFile;
  /** Takes the I/O of this thread. */
  readonly ring: FileRing;
  /** How messages call it. */
  readonly name: string;
  /** Whether it was opened for writing. */
  readonly writable: boolean;
  /** Which part of the file is the image; all of it if left out. */
  readonly window?: FileWindow;
}

/** A raw image whose transfers a ring makes, many at once. */
export class RingFileBackend implements Backend {
  readonly name: string;
  readonly shared = true;
  readonly writable: boolean;
  readonly #plain: FileBackend;
  readonly #ring: FileRing;
  readonly #fd: number;
  readonly #offset: number;

  /** Serves an open file. */
  constructor(options: RingFileOptions) {
    const { file, ring, name, writable, window = {} } = options;
    this.name = name;
    this.writable = writable;
    this.#plain = new FileBackend(file, name, writable, window);
    this.#ring = ring;
    this.#fd = file.fd;
    this.#offset = window.offset ?? 0;
  }

  stat(): ImageStat {
    return this.#plain.stat();
  }

  read(position: number, into: Uint8Array, length: number): Answer {
    const at = this.#offset + position;
    const got = this.#ring.read(this.#fd, into, length, at);
    return got === -EBUSY ? this.#plain.read(position, into, length) : got;
  }

  write(position: number, from: Uint8Array, length: number): Answer {
    const at = this.#offset + position;
    const put = this.#ring.write(this.#fd, from, length, at);
    return put === -EBUSY ? this.#plain.write(position, from, length) : put;
  }

  flush(): Answer {
    const result = this.#ring.sync(this.#fd);
    return result === -EBUSY ? this.#plain.flush() : result;
  }

  truncate(size: number): number {
    return this.#plain.truncate(size);
  }

  zero(position: number, length: number, options: ZeroOptions): number {
    return this.#plain.zero(position, length, options);
  }

  allocate(position: number, length: number): number {
    return this.#plain.allocate(position, length);
  }

  extent(position: number): Extent {
    return this.#plain.extent(position);
  }

  setTimes(atime: bigint | null, mtime: bigint | null): number {
    return this.#plain.setTimes(atime, mtime);
  }

  close(): void {}
}
