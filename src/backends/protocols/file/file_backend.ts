import type { NewTime } from "../../../base/timespec.ts";
import { UserError } from "../../../base/user_error.ts";
import { FALLOC_FL, SEEK } from "../../../base/file_flags.ts";
import type { MessagePipe } from "../../../event/message_pipe.ts";
import type { Backend, Extent, ImageStat, ZeroOptions } from "../../backend.ts";
import type { BlockFile, BlockFileStat } from "../../block_file.ts";
import { ERRNO } from "../../../base/errno.ts";
import { FileSync, type SyncCounter } from "./file_sync.ts";
import { zeroRange } from "./zero_range.ts";

/**
 * The bytes of a regular file or a block device.
 *
 * @category Disks
 */
export class FileBackend implements Backend {
  readonly name: string;
  readonly shared = true;
  readonly writable: boolean;
  readonly #file: BlockFile;
  readonly #sync: FileSync;

  /**
   * Serves an open file, which `close()` closes.
   *
   * @param file The open file, which no other thread uses.
   * @param name Its name in messages.
   * @param writable Whether it was opened for writing.
   * @param counter Where the errors of flushes are counted; nowhere if left out.
   */
  constructor(
    file: BlockFile,
    name: string,
    writable: boolean,
    counter: SyncCounter | null = null,
  ) {
    this.name = name;
    this.writable = writable;
    this.#file = file;
    this.#sync = new FileSync(file, counter);
  }

  stat(): ImageStat {
    return imageStatOf(this.#file.fstat(), this.name);
  }

  read(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): number {
    let done = 0;
    while (done < length) {
      const got = this.#file.pread(
        buffer,
        start + done,
        length - done,
        position + done,
      );
      // Bytes that were read before an error count as read.
      if (got < 0) return done > 0 ? done : got;
      if (got === 0) break;
      done += got;
    }
    return done;
  }

  /** splice(2), which waits for the medium as `read()` does. */
  splice(position: number, length: number, pipe: MessagePipe): number {
    return pipe.append(this.#file.fd, position, length);
  }

  write(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): number {
    let done = 0;
    while (done < length) {
      const put = this.#file.pwrite(
        buffer,
        start + done,
        length - done,
        position + done,
      );
      // Bytes that were written before an error count as written.
      if (put < 0) return done > 0 ? done : put;
      if (put === 0) return done > 0 ? done : -ERRNO.EIO;
      done += put;
    }
    return done;
  }

  needsExclusiveWrite(position: number, length: number): boolean {
    return this.#file.needsExclusiveWrite?.(position, length) ?? false;
  }

  flush(): number {
    return this.#sync.flushNow();
  }

  truncate(size: number): number {
    return this.#file.ftruncate(size);
  }

  zero(
    position: number,
    length: number,
    { unmap }: ZeroOptions,
  ): Promise<number> {
    const calls = {
      fallocate: (mode: number, at: number, count: number) =>
        this.#file.fallocate(mode, at, count),
      write: (at: number, zeroes: Uint8Array, count: number) =>
        this.write(at, zeroes, 0, count),
    };
    return zeroRange(calls, position, length, unmap);
  }

  allocate(position: number, length: number): number {
    return this.#file.fallocate(FALLOC_FL.KEEP_SIZE, position, length);
  }

  extent(position: number): Extent {
    const data = this.#file.lseek(position, SEEK.DATA);
    if (data === -ERRNO.ENXIO) return this.#lastHole(position);
    // Without SEEK_DATA everything counts as data.
    if (data < 0) return { data: true, end: Infinity };
    if (data > position) return { data: false, end: data };
    const hole = this.#file.lseek(position, SEEK.HOLE);
    // If the extent was punched meanwhile, `hole` is `position`; data is a safe
    // answer.
    return { data: true, end: hole > position ? hole : Infinity };
  }

  setTimes(atime: NewTime, mtime: NewTime): number {
    return this.#file.futimens(atime, mtime);
  }

  close(): void {
    this.#file.close();
  }

  /**
   * The hole at the end of the file. What other programs have cut off is no
   * hole: a client that took it for one would have zeroes instead of an error.
   */
  #lastHole(position: number): Extent {
    const { size } = this.#stat();
    return position < size
      ? { data: false, end: size }
      : { data: true, end: Infinity };
  }

  #stat(): BlockFileStat {
    return checkedStat(this.#file.fstat(), this.name);
  }
}

/**
 * What a file tells of its image.
 *
 * @param name The file's name in errors.
 * @throws {UserError} If it could not be asked; has `errno`.
 */
export function imageStatOf(
  stat: BlockFileStat | number,
  name: string,
): ImageStat {
  const checked = checkedStat(stat, name);
  const { size, allocated, blockSize, atime, mtime, ctime } = checked;
  return { size, allocated, blockSize, times: { atime, mtime, ctime } };
}

function checkedStat(
  stat: BlockFileStat | number,
  name: string,
): BlockFileStat {
  if (typeof stat !== "number") return stat;
  throw Object.assign(new UserError(`Cannot stat ${name}`), { errno: -stat });
}
