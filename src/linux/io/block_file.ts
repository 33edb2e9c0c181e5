/**
 * Disk images by system calls: regular files and block devices.
 *
 * @module
 */

import type {
  BlockFile,
  BlockFileStat,
  FileSystemKind,
} from "../../backends/block_file.ts";
import { ERRNO } from "../../base/errno.ts";
import { nanosecondsOf, type NewTime, secondsOf } from "../../base/timespec.ts";
import { closeDescriptor } from "../syscall/descriptor.ts";
import {
  BufferAddresses,
  BufferPointers,
  LastBigint,
  pointerOf,
} from "../syscall/ffi_values.ts";
import { errno, type Libc, libc } from "../syscall/libc.ts";
import {
  type FileKind,
  type FileStatus,
  statxDescriptor,
  statxDescriptorLater,
} from "../syscall/statx.ts";
import { inPool } from "../syscall/pool.ts";
import { fileSystemOf } from "./file_system.ts";
import { PageCache } from "./page_cache.ts";

// _IOR(0x12, 114, size_t) of <linux/fs.h>.
const BLKGETSIZE64 = 0x80081272n;

// tv_nsec that sets a time to now, and that leaves it unchanged: utimensat(2).
const UTIME_NOW = 0x3fffffffn;
const UTIME_OMIT = 0x3ffffffen;
const RWF_NOWAIT = 8;
/**
 * A position beyond every file: sync_file_range(2) finds no page to wait for
 * there, and returns the error of the whole file.
 */
const NO_PAGE = 1n << 60n;
// SYNC_FILE_RANGE_WAIT_BEFORE of <linux/fs.h>.
const WAIT_BEFORE = 1;
const TWO_32 = 2 ** 32;

/** An open image. Several threads may wrap the same descriptor. */
export class LinuxBlockFile implements BlockFile {
  readonly fd: number;
  readonly #libc: Libc = libc();
  readonly #pointers: BufferPointers = new BufferPointers();
  readonly #length: LastBigint = new LastBigint();
  readonly #addresses: BufferAddresses = new BufferAddresses();
  readonly #iovec: Uint32Array<ArrayBuffer> = new Uint32Array(4);
  readonly #iovecPointer: Deno.PointerValue = pointerOf(
    new Uint8Array(this.#iovec.buffer),
  );
  #fileSystem: FileSystemKind | null = null;
  #pageCache: PageCache | null = null;
  #closed = false;

  /**
   * Wraps an open descriptor. Only one of the threads that wrap it may call
   * {@linkcode LinuxBlockFile.close}.
   *
   * @param fd A descriptor of a file or block device.
   */
  constructor(fd: number) {
    this.fd = fd;
  }

  pread(
    buffer: Uint8Array,
    start: number,
    length: number,
    position: number,
  ): number {
    const pointer = this.#pointer(buffer, start, length);
    const size = this.#length.of(length);
    const offset = BigInt(position);
    for (;;) {
      const count = this.#libc.pread(this.fd, pointer, size, offset);
      if (count >= 0) return count;
      const error = errno();
      if (error !== ERRNO.EINTR) return -error;
    }
  }

  preadNow(
    buffer: Uint8Array,
    start: number,
    length: number,
    position: number,
  ): number {
    checkRange(buffer, start, length);
    // struct iovec { void *iov_base; size_t iov_len; }
    const address = this.#addresses.of(buffer) + start;
    this.#iovec[0] = address;
    this.#iovec[1] = address / TWO_32;
    this.#iovec[2] = length;
    const offset = BigInt(position);
    const pointer = this.#iovecPointer;
    const count = this.#libc.preadv2(this.fd, pointer, 1, offset, RWF_NOWAIT);
    return count >= 0 ? count : -errno();
  }

  isCached(position: number, length: number): boolean {
    this.#pageCache ??= new PageCache(this.fd);
    return this.#pageCache.holds(position, length);
  }

  pwrite(
    buffer: Uint8Array,
    start: number,
    length: number,
    position: number,
  ): number {
    const pointer = this.#pointer(buffer, start, length);
    const size = this.#length.of(length);
    const offset = BigInt(position);
    for (;;) {
      const count = this.#libc.pwrite(this.fd, pointer, size, offset);
      if (count >= 0) return count;
      const error = errno();
      if (error !== ERRNO.EINTR) return -error;
    }
  }

  fdatasync(): number {
    return retryInterrupted(() => this.#libc.fdatasync(this.fd));
  }

  writebackError(): number {
    const result = retryInterrupted(() =>
      this.#libc.sync_file_range(this.fd, NO_PAGE, 1n, WAIT_BEFORE)
    );
    return result === -ERRNO.ENOSYS ? 0 : result;
  }

  ftruncate(size: number): number {
    return retryInterrupted(() => this.#libc.ftruncate(this.fd, BigInt(size)));
  }

  fallocate(mode: number, position: number, length: number): number {
    const from = BigInt(position);
    const size = BigInt(length);
    return retryInterrupted(() =>
      this.#libc.fallocate(this.fd, mode, from, size)
    );
  }

  lseek(position: number, whence: number): number {
    const from = BigInt(position);
    return retryInterrupted(() =>
      Number(this.#libc.lseek(this.fd, from, whence))
    );
  }

  fstat(): BlockFileStat | number {
    return this.#statOf(statxDescriptor(this.fd));
  }

  async fstatLater(): Promise<BlockFileStat | number> {
    return this.#statOf(await statxDescriptorLater(this.fd));
  }

  async lseekLater(position: number, whence: number): Promise<number> {
    const from = BigInt(position);
    const at = await inPool(
      () => this.#libc.lseek_nonblocking(this.fd, from, whence),
      () => -1n,
    );
    // The other thread loses the errno. The same call here fails at once.
    return at < 0n ? this.lseek(position, whence) : Number(at);
  }

  #statOf(status: FileStatus | number): BlockFileStat | number {
    if (typeof status === "number") return status;
    const kind = kindOfImage(status.kind);
    const device = kind === "block" ? this.#deviceSize() : undefined;
    if (device !== undefined && device < 0) return device;
    return {
      kind,
      size: device ?? status.size,
      allocated: device ?? status.blocks * 512,
      blockSize: status.blockSize,
      fileSystem: this.#fileSystem ??= fileSystemOf(this.fd),
      directAlignment: status.directAlignment,
      identity: `${status.device}/${status.inode}`,
      atime: status.atime,
      mtime: status.mtime,
      ctime: status.ctime,
    };
  }

  futimens(atime: NewTime, mtime: NewTime): number {
    const times = timesOf(atime, mtime);
    return retryInterrupted(() => this.#libc.futimens(this.fd, times));
  }

  async futimensLater(
    atime: NewTime,
    mtime: NewTime,
  ): Promise<number> {
    const times = timesOf(atime, mtime);
    const result = await inPool(
      () => this.#libc.futimens_nonblocking(this.fd, times),
      () => -1,
    );
    // The other thread loses the errno. The same call here fails at once.
    return result < 0 ? this.futimens(atime, mtime) : result;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeDescriptor(this.fd);
  }

  #pointer(
    buffer: Uint8Array,
    start: number,
    length: number,
  ): Deno.PointerValue {
    checkRange(buffer, start, length);
    const pointer = this.#pointers.of(buffer);
    return start === 0 || pointer === null
      ? pointer
      : Deno.UnsafePointer.offset(pointer, start);
  }

  #deviceSize(): number {
    const size = new BigUint64Array(new ArrayBuffer(8));
    const result = retryInterrupted(() =>
      this.#libc.ioctl(this.fd, BLKGETSIZE64, size)
    );
    return result < 0 ? result : Number(size[0]);
  }
}

function retryInterrupted(call: () => number): number {
  for (;;) {
    const result = call();
    if (result >= 0) return result;
    const error = errno();
    if (error !== ERRNO.EINTR) return -error;
  }
}

/** Two struct timespec { int64_t tv_sec; long tv_nsec; }. */
function timesOf(
  atime: NewTime,
  mtime: NewTime,
): BigInt64Array<ArrayBuffer> {
  const times = new BigInt64Array(new ArrayBuffer(32));
  putTime(times, 0, atime);
  putTime(times, 2, mtime);
  return times;
}

function putTime(times: BigInt64Array, at: number, time: NewTime): void {
  if (typeof time !== "bigint") {
    times[at + 1] = time === null ? UTIME_OMIT : UTIME_NOW;
    return;
  }
  times[at] = secondsOf(time);
  times[at + 1] = BigInt(nanosecondsOf(time));
}

// The kernel would access memory beyond the buffer.
function checkRange(buffer: Uint8Array, start: number, length: number): void {
  if (start < 0 || length < 0 || start + length > buffer.byteLength) {
    throw new RangeError(
      `Cannot transfer ${length} bytes at ${start} of a buffer: it has ${buffer.byteLength} (pass a range within it)`,
    );
  }
}

/** The kind of an image's file. */
export function kindOfImage(kind: FileKind): BlockFileStat["kind"] {
  return kind === "file" || kind === "block" || kind === "directory"
    ? kind
    : "other";
}
