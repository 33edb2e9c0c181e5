import type { NewTime } from "../../../base/timespec.ts";
import { ERRNO } from "../../../base/errno.ts";
import type { BlockFile, BlockFileStat } from "../../block_file.ts";

/** Alignment that suits every medium, where the kernel does not give one. */
const ALIGNMENT_DEFAULT = 4096;

/**
 * The alignment of positions and lengths in direct I/O on a file, in bytes; 0
 * if its file system has no direct I/O.
 */
export function directAlignmentOf({ directAlignment }: BlockFileStat): number {
  return directAlignment ?? ALIGNMENT_DEFAULT;
}

/** A file that is open twice. */
export interface DirectDescriptors {
  /** Opened with O_DIRECT. */
  readonly direct: BlockFile;
  /** Opened without. */
  readonly cached: BlockFile;
  /** The alignment of positions and lengths in direct I/O. */
  readonly alignment: number;
}

/**
 * Direct I/O for transfers of whole blocks. Others go through the page cache,
 * which the kernel keeps coherent with the medium.
 */
export class DirectFile implements BlockFile {
  readonly fd: number;
  readonly #direct: BlockFile;
  readonly #cached: BlockFile;
  readonly #alignment: number;

  /** Wraps both descriptors; `close()` closes them. */
  constructor({ direct, cached, alignment }: DirectDescriptors) {
    this.fd = cached.fd;
    this.#direct = direct;
    this.#cached = cached;
    this.#alignment = alignment;
  }

  /** The descriptor for a transfer. */
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
      // EINVAL: the buffer is not aligned. Other errors: a direct read fails as
      // a whole, and the page cache gives the bytes before the bad sector.
      if (got >= 0) return got;
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
   * Whole blocks may be written concurrently. Other writes dirty pages, and the
   * kernel reports an I/O error if a page becomes dirty during direct I/O.
   */
  needsExclusiveWrite(position: number, length: number): boolean {
    return !this.#fits(position, length);
  }

  fdatasync(): number {
    return this.#cached.fdatasync();
  }

  writebackError(): number {
    return this.#cached.writebackError?.() ?? 0;
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

  async lseekLater(position: number, whence: number): Promise<number> {
    return await this.#cached.lseekLater?.(position, whence) ??
      this.#cached.lseek(position, whence);
  }

  fstat(): BlockFileStat | number {
    return this.#cached.fstat();
  }

  async fstatLater(): Promise<BlockFileStat | number> {
    return await this.#cached.fstatLater?.() ?? this.#cached.fstat();
  }

  futimens(atime: NewTime, mtime: NewTime): number {
    return this.#cached.futimens(atime, mtime);
  }

  async futimensLater(
    atime: NewTime,
    mtime: NewTime,
  ): Promise<number> {
    return await this.#cached.futimensLater?.(atime, mtime) ??
      this.#cached.futimens(atime, mtime);
  }

  close(): void {
    this.#direct.close();
    this.#cached.close();
  }

  #fits(position: number, length: number): boolean {
    return position % this.#alignment === 0 && length % this.#alignment === 0;
  }
}
