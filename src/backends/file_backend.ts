import type { Backend, Extent, ImageStat, ZeroOptions } from "./backend.ts";
import type { BlockFile, BlockFileStat } from "./block_file.ts";

const FALLOC_FL_KEEP_SIZE = 0x01;
const FALLOC_FL_PUNCH_HOLE = 0x02;
const FALLOC_FL_ZERO_RANGE = 0x10;
const SEEK_DATA = 3;
const SEEK_HOLE = 4;
const EIO = 5;
const ENXIO = 6;
const EINVAL = 22;
const EOPNOTSUPP = 95;
/** Bytes written at once where a range must be zeroed by writing. */
const ZEROES = new Uint8Array(65536);

/** Which part of a file is the image. */
export interface FileWindow {
  /** Where it starts in bytes; 0 if left out. */
  readonly offset?: number;
  /** Its length in bytes; to the end of the file if left out. */
  readonly size?: number;
}

/** A raw image in a file or block device, or a part of one. */
export class FileBackend implements Backend {
  readonly name: string;
  readonly shared = true;
  readonly writable: boolean;
  readonly #file: BlockFile;
  readonly #offset: number;
  /** Length of the part; `null` where it goes on to the end of the file. */
  readonly #size: number | null;

  /**
   * Serves an open file; `close()` leaves it open, since Workers share it.
   *
   * @param file The open file.
   * @param name How messages call it.
   * @param writable Whether it was opened for writing.
   */
  constructor(
    file: BlockFile,
    name: string,
    writable: boolean,
    window: FileWindow = {},
  ) {
    this.name = name;
    this.writable = writable;
    this.#file = file;
    this.#offset = window.offset ?? 0;
    this.#size = window.size ?? null;
  }

  stat(): ImageStat {
    const stat = this.#stat();
    const whole = this.#size === null && this.#offset === 0;
    const size = this.#size ?? Math.max(0, stat.size - this.#offset);
    const { blockSize, atime, mtime, ctime } = stat;
    return {
      size,
      allocated: whole ? stat.allocated : Math.min(size, stat.allocated),
      blockSize,
      times: { atime, mtime, ctime },
    };
  }

  read(position: number, into: Uint8Array, length: number): number {
    const at = this.#offset + position;
    let done = 0;
    while (done < length) {
      const got = this.#file.pread(into, done, length - done, at + done);
      if (got < 0) return got;
      if (got === 0) break;
      done += got;
    }
    return done;
  }

  write(position: number, from: Uint8Array, length: number): number {
    const at = this.#offset + position;
    let done = 0;
    while (done < length) {
      const put = this.#file.pwrite(from, done, length - done, at + done);
      // What was written before the medium refused is reported as written.
      if (put < 0) return done > 0 ? done : put;
      if (put === 0) return done > 0 ? done : -EIO;
      done += put;
    }
    return done;
  }

  flush(): number {
    return this.#file.fdatasync();
  }

  truncate(size: number): number {
    return this.#size === null
      ? this.#file.ftruncate(this.#offset + size)
      : -EINVAL;
  }

  zero(position: number, length: number, { unmap }: ZeroOptions): number {
    const at = this.#offset + position;
    const mode = FALLOC_FL_KEEP_SIZE |
      (unmap ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE);
    const result = this.#file.fallocate(mode, at, length);
    // A block device refuses ranges that are not whole sectors with EINVAL.
    return result === -EOPNOTSUPP || result === -EINVAL
      ? this.#writeZeroes(position, length)
      : result;
  }

  allocate(position: number, length: number): number {
    return this.#file.fallocate(
      FALLOC_FL_KEEP_SIZE,
      this.#offset + position,
      length,
    );
  }

  extent(position: number): Extent {
    const at = this.#offset + position;
    const data = this.#file.lseek(at, SEEK_DATA);
    if (data === -ENXIO) return { data: false, end: Infinity };
    // A medium that cannot tell is all data.
    if (data < 0) return { data: true, end: Infinity };
    if (data > at) return { data: false, end: data - this.#offset };
    const hole = this.#file.lseek(at, SEEK_HOLE);
    return { data: true, end: hole < 0 ? Infinity : hole - this.#offset };
  }

  setTimes(atime: bigint | null, mtime: bigint | null): number {
    return this.#file.futimens(atime, mtime);
  }

  close(): void {}

  #stat(): BlockFileStat {
    const stat = this.#file.fstat();
    if (typeof stat !== "number") return stat;
    throw Object.assign(new Error(`Cannot stat ${this.name}`), {
      errno: -stat,
    });
  }

  #writeZeroes(position: number, length: number): number {
    for (let done = 0; done < length;) {
      const put = this.write(
        position + done,
        ZEROES,
        Math.min(ZEROES.length, length - done),
      );
      if (put < 0) return put;
      done += put;
    }
    return 0;
  }
}
