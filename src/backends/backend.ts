/**
 * What an export asks of the thing that holds the bytes of a disk image.
 *
 * @module
 */

/**
 * An answer given at once or later. Numbers are counts of bytes or positions;
 * a negative number is a negated errno (`-EIO`), as in the kernel. A call may
 * also throw, or reject with, an `Errno`; anything else thrown counts as EIO.
 */
export type Answer<T = number> = T | PromiseLike<T>;

/** When an image was last used, nanoseconds since 1970. */
export interface ImageTimes {
  /** Time of the last read of the image itself. */
  readonly atime: bigint;
  /** Time of the last change to its bytes. */
  readonly mtime: bigint;
  /** Time of the last change to it or its attributes. */
  readonly ctime: bigint;
}

/** What an image knows about itself besides its bytes. */
export interface ImageStat {
  /** Length of the image in bytes. */
  readonly size: number;
  /**
   * Bytes that the image takes on its medium, fewer than `size` if sparse;
   * `null` if the medium does not tell.
   */
  readonly allocated: number | null;
  /** Preferred size of a request in bytes (`st_blksize`). */
  readonly blockSize: number;
  /** The image's own times; `null` where the export is to keep them. */
  readonly times: ImageTimes | null;
}

/** One stretch of an image that is all data or all hole. */
export interface Extent {
  /** Whether the stretch holds data; a hole reads as zeroes. */
  readonly data: boolean;
  /** The position behind its last byte. */
  readonly end: number;
}

/** How a range is turned into zeroes. */
export interface ZeroOptions {
  /**
   * Give the space back to the medium (FALLOC_FL_PUNCH_HOLE). One that never
   * can answers `-EOPNOTSUPP` rather than write zeroes: a program that
   * discards a whole disk then stops trying.
   */
  readonly unmap: boolean;
}

/**
 * The bytes of a disk image.
 *
 * Positions and lengths are numbers of bytes, never negative. The export
 * checks bounds before it calls: a read or write lies inside the image, only
 * `truncate` changes its size, and a read-only export calls nothing that
 * writes. Calls for different requests may overlap in time, from several
 * Workers; a backend that cannot take that says so with `shared: false`.
 *
 * A Worker's event loop turns while an answer is outstanding: what an answer
 * waits for may use timers, `fetch()` and promises as anywhere. Between
 * requests the Worker sleeps in the kernel, and its timers stand still, unless
 * the backend asks for `background`.
 */
export interface Backend {
  /** What the image is, for messages: a path, `null:1G`, a URL. */
  readonly name: string;
  /** Whether several Workers may each open this source and serve it together. */
  readonly shared: boolean;
  /** Whether writing calls are supported at all. */
  readonly writable: boolean;
  /**
   * Whether something has to go on between requests: a timer, a connection that
   * is kept alive. The Worker then waits for requests in its event loop, which
   * is slower. No if left out.
   */
  readonly background?: boolean;
  /** The image's size, space and times as they are now. */
  stat(): Answer<ImageStat>;
  /**
   * Reads `length` bytes at `position` of the image into `buffer`, from byte
   * `start` of the buffer on.
   *
   * @param buffer At least `start + length` bytes, on loan until the answer.
   * @returns The bytes read: fewer than `length` only if the image ends before
   * that, in which case the export fills the rest with zeroes. Or `-errno`.
   */
  read(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): Answer;
  /**
   * Writes `length` bytes of `buffer`, from its byte `start` on, at `position`
   * of the image.
   *
   * @param buffer At least `start + length` bytes, on loan until the answer.
   * @returns The bytes written: all of them unless the medium is full. Or
   * `-errno`.
   */
  write(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): Answer;
  /**
   * Whether a write must not overlap in time with any other write to the image;
   * none if left out.
   */
  needsExclusiveWrite?(position: number, length: number): boolean;
  /** Makes every write that was answered durable. 0 or `-errno`. */
  flush(): Answer;
  /** Changes the size; new bytes read as zeroes. 0 or `-errno`. */
  truncate(size: number): Answer;
  /** Turns a range into zeroes. 0 or `-errno`; `-EOPNOTSUPP` if it cannot. */
  zero(position: number, length: number, options: ZeroOptions): Answer;
  /**
   * Reserves space for a range without changing its bytes. 0 or `-errno`;
   * `-EOPNOTSUPP` if the medium has no notion of that.
   */
  allocate(position: number, length: number): Answer;
  /** The stretch that `position` lies in; `position` is below the size. */
  extent(position: number): Answer<Extent>;
  /**
   * Sets the image's times, nanoseconds since 1970; `null` leaves one as it is.
   * Called only if `stat()` gives times. 0 or `-errno`.
   */
  setTimes(atime: bigint | null, mtime: bigint | null): Answer;
  /** Releases what the backend holds. No other call follows. */
  close(): Answer<void>;
}
