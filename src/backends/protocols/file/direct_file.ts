import { ERRNO } from "../../../base/errno.ts";
import type { BlockFile, BlockFileStat } from "../../block_file.ts";

/** An image that is open twice: past the page cache, and through it. */
export interface DirectDescriptors {
  /** Opened with O_DIRECT. */
  readonly direct: BlockFile;
  /** Opened without. */
  readonly cached: BlockFile;
  /** What positions and lengths in direct I/O have to be multiples of. */
  readonly alignment: number;
}

/**
 * Direct I/O that any program can use: transfers that are not whole blocks go
 * through the page cache, which the kernel keeps in step with the medium.
 */
export class DirectFile implements BlockFile {
  readonly fd: number;
  readonly #direct: BlockFile;
  readonly #cached: BlockFile;
  readonly #alignment: number;

  /** Puts the two together; `close()` closes both. */
  constructor({ direct, cached, alignment }: DirectDescriptors) {
    this.fd = cached.fd;
    this.#direct = direct;
    this.#cached = cached;
    this.#alignment = alignment;
  }

  /** The descriptor to use for a transfer. */
  fdFor(position: number, length: number): number {
    return this.#fits(position, length) ? this.#direct.fd : this.#cached.fd;
  }

  pread(
    buffer: Uint8Array,
    start: number,
    length: number,
    position: number,
  ): number {
    if (this.#fits(position, length)) {
      const got = this.#direct.pread(buffer, start, length, position);
      // The memory, too, has to be aligned.
      if (got !== -ERRNO.EINVAL) return got;
    }
    return this.#cached.pread(buffer, start, length, position);
  }

  pwrite(
    buffer: Uint8Array,
    start: number,
    length: number,
    position: number,
  ): number {
    if (this.#fits(position, length)) {
      const put = this.#direct.pwrite(buffer, start, length, position);
      if (put !== -ERRNO.EINVAL) return put;
    }
    return this.#cached.pwrite(buffer, start, length, position);
  }

  /**
   * Whole blocks may be written side by side. The rest dirties pages, and the
   * kernel reports an I/O error where a page is dirtied while direct I/O goes
   * past it.
   */
  needsExclusiveWrite(position: number, length: number): boolean {
    return !this.#fits(position, length);
  }

  fdatasync(): number {
    return this.#cached.fdatasync();
  }

  ftruncate(size: number): number {
    return this.#cached.ftruncate(size);
  }

  fallocate(mode: number, position: number, length: number): number {
    return this.#cached.fallocate(mode, position, length);
  }

  lseek(position: number, whence: number): number {
    return this.#cached.lseek(position, whence);
  }

  fstat(): BlockFileStat | number {
    return this.#cached.fstat();
  }

  futimens(atime: bigint | null, mtime: bigint | null): number {
    return this.#cached.futimens(atime, mtime);
  }

  close(): void {
    this.#direct.close();
    this.#cached.close();
  }

  #fits(position: number, length: number): boolean {
    return position % this.#alignment === 0 && length % this.#alignment === 0;
  }
}
