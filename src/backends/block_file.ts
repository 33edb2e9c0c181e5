/** What statx(2) tells of an open image. */
export interface BlockFileStat {
  /** Regular file or block device. */
  readonly kind: "file" | "block" | "directory" | "other";
  /** `stx_size`, or BLKGETSIZE64 of a block device. Bytes. */
  readonly size: number;
  /** `stx_blocks` x 512; of a block device its size. Bytes. */
  readonly allocated: number;
  /** `stx_blksize`. */
  readonly blockSize: number;
  /** Whether its bytes lie in memory anyway, as those of tmpfs do. */
  readonly inMemory?: boolean;
  /**
   * What positions and lengths have to be multiples of in direct I/O; `null`
   * if there is none, or the kernel does not tell.
   */
  readonly directAlignment?: number | null;
  /** Nanoseconds since 1970. */
  readonly atime: bigint;
  /** Nanoseconds since 1970. */
  readonly mtime: bigint;
  /** Nanoseconds since 1970. */
  readonly ctime: bigint;
}

/**
 * The system calls that a {@linkcode FileBackend} makes on one open
 * descriptor. Each returns what the call returns, or a negative errno; partial
 * transfers and EINTR are the caller's and the implementation's business
 * respectively: an implementation repeats on EINTR, a caller goes on after a
 * partial transfer.
 */
export interface BlockFile {
  /** The descriptor; Workers of one process share it. */
  readonly fd: number;
  /** pread64(2) of up to `length` bytes into `buffer` from `start` on. */
  pread(
    buffer: Uint8Array,
    start: number,
    length: number,
    position: number,
  ): number;
  /**
   * pread64(2) of as many bytes as can be had without waiting for the medium:
   * `-EAGAIN` if none, `-EOPNOTSUPP` where that cannot be told.
   */
  preadNow?(
    buffer: Uint8Array,
    start: number,
    length: number,
    position: number,
  ): number;
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
  /** ftruncate64(2). */
  ftruncate(size: number): number;
  /** fallocate64(2) with FALLOC_FL_* mode bits. */
  fallocate(mode: number, position: number, length: number): number;
  /** lseek64(2) with SEEK_DATA (3) or SEEK_HOLE (4). */
  lseek(position: number, whence: number): number;
  /** statx(2) on the descriptor, and BLKGETSIZE64 for a block device. */
  fstat(): BlockFileStat | number;
  /** futimens(3); `null` leaves a time as it is (UTIME_OMIT). */
  futimens(atime: bigint | null, mtime: bigint | null): number;
  /** close(2). */
  close(): void;
}
