import type { NewTime } from "../base/timespec.ts";

/**
 * Where a file system keeps files: in `memory`, as tmpfs; with a `remote`
 * server, as NFS and FUSE, whose calls wait while it does not answer; or on a
 * `local` medium.
 *
 * @category Disks
 */
export type FileSystemKind = "local" | "memory" | "remote";

/**
 * Attributes of an open file, from statx(2).
 *
 * @category Disks
 */
export interface BlockFileStat {
  /** Regular file or block device. */
  readonly kind: "file" | "block" | "directory" | "other";
  /** `stx_size`, or BLKGETSIZE64 of a block device. Bytes. */
  readonly size: number;
  /** `stx_blocks` x 512; of a block device its size. Bytes. */
  readonly allocated: number;
  /** `stx_blksize`. */
  readonly blockSize: number;
  /** Where its file system keeps it; `local` if left out. */
  readonly fileSystem?: FileSystemKind;
  /**
   * The alignment of positions and lengths in direct I/O; 0 if its file system
   * has no direct I/O, `null` or left out if unknown.
   */
  readonly directAlignment?: number | null;
  /** Tells it from every other file: device and inode; unknown if left out. */
  readonly identity?: string;
  /** Nanoseconds since 1970. */
  readonly atime: bigint;
  /** Nanoseconds since 1970. */
  readonly mtime: bigint;
  /** Nanoseconds since 1970. */
  readonly ctime: bigint;
}

/**
 * System calls on an open regular file or block device. Each returns what the
 * call returns, or a negative errno. Transfers may be partial. A call that a
 * signal interrupted (EINTR) is repeated.
 *
 * @category Disks
 */
export interface BlockFile {
  /** The descriptor; all threads of the process share it. */
  readonly fd: number;
  /** pread64(2) of up to `length` bytes into `buffer` from `start` on. */
  pread(
    buffer: Uint8Array,
    start: number,
    length: number,
    position: number,
  ): number;
  /**
   * preadv2(2) with RWF_NOWAIT: reads the bytes that need no wait for the
   * medium. `-EAGAIN` if there are none, `-EOPNOTSUPP` if the file system does
   * not support it.
   */
  preadNow?(
    buffer: Uint8Array,
    start: number,
    length: number,
    position: number,
  ): number;
  /**
   * Whether the page cache holds every page of a range, of at least one byte, so
   * that reading it would not wait; `false` if that is unknown.
   */
  isCached?(position: number, length: number): boolean;
  /** pwrite64(2) of up to `length` bytes of `buffer` from `start` on. */
  pwrite(
    buffer: Uint8Array,
    start: number,
    length: number,
    position: number,
  ): number;
  /** Whether a write must not overlap in time with any other write. */
  needsExclusiveWrite?(position: number, length: number): boolean;
  /** fdatasync(2). */
  fdatasync(): number;
  /**
   * The write-back error, negative, that the kernel has not yet told this open
   * file description of; 0 if there is none. It is told once, as by fsync(2);
   * never waits.
   */
  writebackError?(): number;
  /** ftruncate64(2). */
  ftruncate(size: number): number;
  /** fallocate64(2) with FALLOC_FL_* mode bits. */
  fallocate(mode: number, position: number, length: number): number;
  /** lseek64(2) with SEEK_DATA (3) or SEEK_HOLE (4). */
  lseek(position: number, whence: number): number;
  /** The same, without blocking this thread. */
  lseekLater?(position: number, whence: number): Promise<number>;
  /** statx(2) on the descriptor, and BLKGETSIZE64 for a block device. */
  fstat(): BlockFileStat | number;
  /** The same, without blocking this thread. */
  fstatLater?(): Promise<BlockFileStat | number>;
  /** futimens(3). */
  futimens(atime: NewTime, mtime: NewTime): number;
  /** The same, without blocking this thread. */
  futimensLater?(
    atime: NewTime,
    mtime: NewTime,
  ): Promise<number>;
  /** close(2). */
  close(): void;
}

/**
 * A file that was just made, empty, and is open for reading and writing.
 *
 * @category Disks
 */
export interface CreatedFile {
  /** The file; `close()` closes it. */
  readonly file: BlockFile;
  /** Its absolute path, without symbolic links. */
  readonly path: string;
  /**
   * Makes its name durable: fdatasync(2) of its directory.
   *
   * @returns 0 or a negative errno.
   */
  syncName(): number;
  /**
   * Gives it another name in the same directory, at once.
   *
   * @param path The path with that name.
   * @param replace Whether a file that has the name loses it.
   * @throws {UserError} If there is one, and it is not to be replaced.
   */
  rename(path: string, replace: boolean): void;
  /** Removes its name, unless that stands for another file by now. */
  remove(): void;
  /** Closes the file, and leaves its name as it is. */
  close(): void;
}
