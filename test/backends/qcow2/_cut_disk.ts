/**
 * A file whose power can be cut: what was not flushed is there in part. And file
 * I/O on it that completes in any order.
 *
 * @module
 */
import { NO_SOCKETS } from "../_fake_files.ts";
import type {
  BlockFile,
  BlockFileStat,
} from "../../../src/backends/block_file.ts";
import type {
  DriverServices,
  FileService,
} from "../../../src/backends/services.ts";
import { ERRNO } from "../../../src/base/errno.ts";
import { FALLOC_FL } from "../../../src/base/file_flags.ts";
import { Completion } from "../../../src/event/completion.ts";
import type { FileIo } from "../../../src/event/file_io.ts";
import type { Random } from "../../_random.ts";

const SECTOR = 512;
/** The path of the file, as images would name it. */
export const PATH = "/images/disk.qcow2";

/** One change that is not durable yet; `null` for bytes that were punched. */
interface Change {
  readonly position: number;
  readonly length: number;
  readonly bytes: Uint8Array | null;
}

/** How often calls fail, in a thousand. */
export interface FaultRates {
  readonly write?: number;
  readonly sync?: number;
  readonly errno: number;
}

/** A file of at most some mebibytes. */
export class CutDisk implements BlockFile {
  readonly fd = 7;
  size: number;
  /** Whether it fails at random. */
  faults: FaultRates | null = null;
  /** Called before each change. */
  onChange: (() => void) | null = null;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #durable: Uint8Array<ArrayBuffer>;
  #durableSize: number;
  #changes: Change[] = [];
  readonly #random: Random;

  constructor(bytes: Uint8Array, max: number, random: Random) {
    this.#bytes = new Uint8Array(max);
    this.#bytes.set(bytes);
    this.#durable = this.#bytes.slice();
    this.size = this.#durableSize = bytes.length;
    this.#random = random;
  }

  /** What is there if the power is cut now. */
  cut(random: Random): Uint8Array<ArrayBuffer> {
    const bytes = this.#durable.slice();
    let size = this.#durableSize;
    const rate = random.pick([0, 20, 50, 80, 100]);
    for (const { position, length, bytes: data } of this.#changes) {
      if (data === null && random.below(100) >= rate) continue;
      for (let at = 0; at < length; at += SECTOR) {
        if (data !== null && random.below(100) >= rate) continue;
        const end = Math.min(at + SECTOR, length);
        if (data === null) bytes.fill(0, position + at, position + end);
        else bytes.set(data.subarray(at, end), position + at);
        size = Math.max(size, position + end);
      }
    }
    return bytes.slice(0, size);
  }

  pread(buffer: Uint8Array, start: number, length: number, position: number) {
    const count = Math.max(0, Math.min(length, this.size - position));
    buffer.set(this.#bytes.subarray(position, position + count), start);
    return count;
  }

  pwrite(buffer: Uint8Array, start: number, length: number, position: number) {
    this.onChange?.();
    if (this.#fails("write")) return -this.faults!.errno;
    const bytes = buffer.slice(start, start + length);
    if (position + length > this.#bytes.length) return -ERRNO.ENOSPC;
    this.#bytes.set(bytes, position);
    this.#changes.push({ position, length, bytes });
    this.size = Math.max(this.size, position + length);
    return length;
  }

  fdatasync(): number {
    this.onChange?.();
    if (this.#fails("sync")) return -this.faults!.errno;
    this.#durable.set(this.#bytes);
    this.#durableSize = this.size;
    this.#changes = [];
    return 0;
  }

  ftruncate(size: number): number {
    if (size > this.#bytes.length) return -ERRNO.EFBIG;
    this.#bytes.fill(0, Math.min(size, this.size));
    this.size = size;
    return 0;
  }

  fallocate(mode: number, position: number, length: number): number {
    if ((mode & FALLOC_FL.PUNCH_HOLE) === 0) return -ERRNO.EOPNOTSUPP;
    this.onChange?.();
    this.#bytes.fill(0, position, position + length);
    this.#changes.push({ position, length, bytes: null });
    return 0;
  }

  lseek(): number {
    return -ERRNO.EINVAL;
  }

  fstat(): BlockFileStat {
    const { size } = this;
    const times = { atime: 0n, mtime: 0n, ctime: 0n };
    return { kind: "file", size, allocated: size, blockSize: 4096, ...times };
  }

  futimens(): number {
    return 0;
  }

  close(): void {}

  #fails(kind: "write" | "sync"): boolean {
    return this.#random.below(1000) < (this.faults?.[kind] ?? 0);
  }
}

/** File I/O that makes its calls in any order, when it is told to. */
export class ShuffledIo implements FileIo {
  readonly #disk: CutDisk;
  readonly #waiting: [() => number, Completion<number>][] = [];

  constructor(disk: CutDisk) {
    this.#disk = disk;
  }

  /** Makes one call; whether there was one. */
  step(random: Random): boolean {
    const { length } = this.#waiting;
    if (length === 0) return false;
    const [next] = this.#waiting.splice(random.below(length), 1);
    const [call, completion] = next!;
    completion.complete(call());
    return true;
  }

  read(
    _fd: number,
    buffer: Uint8Array,
    start: number,
    length: number,
    position: number,
  ) {
    return this.#later(() => this.#disk.pread(buffer, start, length, position));
  }

  write(
    _fd: number,
    buffer: Uint8Array,
    start: number,
    length: number,
    position: number,
  ) {
    return this.#later(() =>
      this.#disk.pwrite(buffer, start, length, position)
    );
  }

  sync() {
    return this.#later(() => this.#disk.fdatasync());
  }

  allocate(_fd: number, mode: number, position: number, length: number) {
    return this.#later(() => this.#disk.fallocate(mode, position, length));
  }

  truncate(_fd: number, size: number) {
    return this.#later(() => this.#disk.ftruncate(size));
  }

  mayBlock(): boolean {
    return false;
  }

  unblock(): void {}

  #later(call: () => number): Completion<number> {
    const completion = Completion.start<number>();
    this.#waiting.push([call, completion]);
    return completion;
  }
}

/** The services of one thread that has only this file. */
export function cutServices(
  disk: CutDisk,
  io: FileIo | null,
): DriverServices {
  const files: FileService = {
    open: () => disk,
    create() {
      throw new Error("There is one file");
    },
    wrap: () => disk,
    reopen: () => disk,
    probeDirect: (_file, length) => length,
    lock() {},
    releaseWriteLock() {},
    absolutePath: () => PATH,
    realPath: () => PATH,
    pathOf: () => PATH,
  };
  return { files, sockets: NO_SOCKETS, fileIo: () => io, tell() {} };
}
