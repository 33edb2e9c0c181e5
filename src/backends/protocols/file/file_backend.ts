import { UserError } from "../../../base/user_error.ts";
import { FALLOC_FL, SEEK } from "../../../base/file_flags.ts";
import type { Backend, Extent, ImageStat, ZeroOptions } from "../../backend.ts";
import type { BlockFile, BlockFileStat } from "../../block_file.ts";
import { ERRNO } from "../../../base/errno.ts";

/** Whole sectors of any block device. */
const SECTOR = 4096;
/** Stretches of a part that are looked at to tell what space it takes. */
const STRETCHES_MAX = 256;
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
    const { blockSize, atime, mtime, ctime } = stat;
    const size = this.#size ?? Math.max(0, stat.size - this.#offset);
    const whole = this.#offset === 0 && size === stat.size;
    const allocated = whole ? stat.allocated : this.#dataWithin(size);
    return { size, allocated, blockSize, times: { atime, mtime, ctime } };
  }

  read(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): number {
    const at = this.#offset + position;
    let done = 0;
    while (done < length) {
      const rest = length - done;
      const got = this.#file.pread(buffer, start + done, rest, at + done);
      if (got < 0) return got;
      if (got === 0) break;
      done += got;
    }
    return done;
  }

  write(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): number {
    const at = this.#offset + position;
    let done = 0;
    while (done < length) {
      const rest = length - done;
      const put = this.#file.pwrite(buffer, start + done, rest, at + done);
      // What was written before the medium refused is reported as written.
      if (put < 0) return done > 0 ? done : put;
      if (put === 0) return done > 0 ? done : -ERRNO.EIO;
      done += put;
    }
    return done;
  }

  needsExclusiveWrite(position: number, length: number): boolean {
    return this.#file.needsExclusiveWrite?.(this.#offset + position, length) ??
      false;
  }

  flush(): number {
    return this.#file.fdatasync();
  }

  truncate(size: number): number {
    return this.#size === null
      ? this.#file.ftruncate(this.#offset + size)
      : -ERRNO.EINVAL;
  }

  zero(position: number, length: number, { unmap }: ZeroOptions): number {
    const mode = FALLOC_FL.KEEP_SIZE |
      (unmap ? FALLOC_FL.PUNCH_HOLE : FALLOC_FL.ZERO_RANGE);
    const at = this.#offset + position;
    const end = at + length;
    let first = at;
    let last = end;
    let result = this.#file.fallocate(mode, at, length);
    if (result === -ERRNO.EINVAL) {
      // A block device takes whole sectors only; the rest is written.
      first = Math.min(end, Math.ceil(at / SECTOR) * SECTOR);
      last = Math.max(first, Math.floor(end / SECTOR) * SECTOR);
      result = first === last
        ? 0
        : this.#file.fallocate(mode, first, last - first);
    }
    // Whoever wants the space back must hear that writing is all there is.
    const refused = result === -ERRNO.EINVAL ||
      (result === -ERRNO.EOPNOTSUPP && !unmap);
    if (refused) return this.#writeZeroes(at, end);
    if (result < 0) return result;
    result = this.#writeZeroes(at, first);
    return result < 0 ? result : this.#writeZeroes(last, end);
  }

  allocate(position: number, length: number): number {
    return this.#file.fallocate(
      FALLOC_FL.KEEP_SIZE,
      this.#offset + position,
      length,
    );
  }

  extent(position: number): Extent {
    const at = this.#offset + position;
    const data = this.#file.lseek(at, SEEK.DATA);
    if (data === -ERRNO.ENXIO) return { data: false, end: Infinity };
    // A medium that cannot tell is all data.
    if (data < 0) return { data: true, end: Infinity };
    if (data > at) return { data: false, end: data - this.#offset };
    const hole = this.#file.lseek(at, SEEK.HOLE);
    // Not behind `at` if it was punched just now: then data is a safe answer.
    return { data: true, end: hole > at ? hole - this.#offset : Infinity };
  }

  setTimes(atime: bigint | null, mtime: bigint | null): number {
    return this.#file.futimens(atime, mtime);
  }

  close(): void {}

  #stat(): BlockFileStat {
    const stat = this.#file.fstat();
    if (typeof stat !== "number") return stat;
    throw Object.assign(new UserError(`Cannot stat ${this.name}`), {
      errno: -stat,
    });
  }

  /** Bytes of data in the part; what lies behind many stretches counts. */
  #dataWithin(size: number): number {
    let data = 0;
    let at = 0;
    for (let i = 0; at < size && i < STRETCHES_MAX; i++) {
      const stretch = this.extent(at);
      const end = Math.min(stretch.end, size);
      if (stretch.data) data += end - at;
      at = end;
    }
    return data + size - at;
  }

  /** Writes zeroes from one position of the file to another. */
  #writeZeroes(from: number, to: number): number {
    for (let at = from; at < to;) {
      const length = Math.min(ZEROES.length, to - at);
      const put = this.write(at - this.#offset, ZEROES, 0, length);
      if (put < 0) return put;
      at += put;
    }
    return 0;
  }
}
