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
import {
  closeDescriptor,
  OPEN,
  openDescriptor,
  pathOfDescriptor,
} from "../syscall/descriptor.ts";
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
import { findEntry } from "../syscall/path_walk.ts";
import { SystemError } from "../syscall/system_error.ts";
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

/** The options of {@linkcode reopenBlockFile}. */
export interface BlockFileOptions {
  /** Open for reading and writing, instead of reading only. */
  readonly writable: boolean;
  /** Bypass the page cache by O_DIRECT, false by default. */
  readonly direct?: boolean;
}

/** The options of {@linkcode openBlockFile}. */
export interface ImageOpenOptions extends BlockFileOptions {
  /** Whether other users may change a part of the path, false by default. */
  readonly insecurePath?: boolean;
}

/**
 * Opens an existing image. Its path is looked up once.
 *
 * @param path A regular file or a block device, or a symbolic link to one.
 * @param options More.
 * @throws {SystemError} EPERM if other users can change a part of the path,
 * EISDIR for a directory, ENOTBLK for any other kind of file, and the errnos of
 * open(2).
 */
export function openBlockFile(
  path: string,
  options: ImageOpenOptions,
): BlockFile {
  const action = `open ${path}`;
  const { insecurePath } = options;
  // By a descriptor with O_PATH, because opening a pipe or a device has side
  // effects.
  using entry = findEntry(path, {
    action,
    opening: action,
    insecurePath,
    follow: true,
    advice: adviceOnOpen,
  });
  if (entry.fd === null) throw missing(path);
  refuseOtherKinds(entry.fd, path);
  return reopenBlockFile(entry.fd, path, options);
}

/**
 * Opens the image of a descriptor once more, with its own open file description.
 * Permissions are checked anew: proc_pid_fd(5).
 *
 * @param fd A descriptor of a regular file or a block device.
 * @param name Its name in errors.
 * @param options More.
 * @throws {SystemError} With the errno of open(2).
 */
export function reopenBlockFile(
  fd: number,
  name: string,
  options: BlockFileOptions,
): BlockFile {
  const flags = (options.writable ? OPEN.RDWR : OPEN.RDONLY) |
    (options.direct === true ? OPEN.DIRECT : 0);
  const how = { label: name, advice: adviceOnOpen };
  return new LinuxBlockFile(openDescriptor(pathOfDescriptor(fd), flags, how));
}

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

function kindOfImage(kind: FileKind): BlockFileStat["kind"] {
  return kind === "file" || kind === "block" || kind === "directory"
    ? kind
    : "other";
}

function refuseOtherKinds(handle: number, path: string): void {
  const status = statxDescriptor(handle);
  if (typeof status === "number") {
    throw new SystemError({
      call: "statx",
      action: `open ${path}`,
      errno: -status,
    });
  }
  const kind = kindOfImage(status.kind);
  if (kind === "file" || kind === "block") return;
  throw new SystemError({
    call: "openat",
    action: `open ${path}`,
    errno: kind === "directory" ? ERRNO.EISDIR : ERRNO.ENOTBLK,
    advice: "give a regular file or a block device",
  });
}

function missing(path: string): SystemError {
  return new SystemError({
    call: "openat",
    action: `open ${path}`,
    errno: ERRNO.ENOENT,
    advice: adviceOnOpen(ERRNO.ENOENT),
  });
}

function adviceOnOpen(error: number): string | undefined {
  switch (error) {
    case ERRNO.EROFS:
    case ERRNO.ETXTBSY:
      return "open it read-only";
    case ERRNO.ENOENT:
      return "check the path, or create an image with 'truncate -s 1G FILE'";
    case ERRNO.EACCES:
    case ERRNO.EPERM:
      return "grant this user the permission, or run as a user who has it";
    default:
      return undefined;
  }
}
