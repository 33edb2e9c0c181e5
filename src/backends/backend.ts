/**
 * The interface between an export and the bytes of a disk image.
 *
 * @module
 */
import type { NewTime } from "../base/timespec.ts";
import type { MessagePipe } from "../event/message_pipe.ts";
import type { ImageSnapshots } from "./image_snapshots.ts";

/**
 * A result that is there at once, or a promise of it. Numbers are counts of
 * bytes; a negative number is a negated errno (`-EIO`), as in the kernel. A call
 * may also throw, or reject with, an `Errno`; any other error counts as EIO, and
 * so does an answer that cannot be right, such as 5 for `-EIO`.
 *
 * @category Disks of your own
 */
export type Answer<T = number> = T | PromiseLike<T>;

/**
 * Times of an image, in nanoseconds since 1970.
 *
 * @category Disks of your own
 */
export interface ImageTimes {
  /** Time of the last read. */
  readonly atime: bigint;
  /** Time of the last change of its bytes. */
  readonly mtime: bigint;
  /** Time of the last change of its bytes or attributes. */
  readonly ctime: bigint;
}

/**
 * Size, space and times of an image.
 *
 * @category Disks of your own
 */
export interface ImageStat {
  /** Length of the image in bytes. */
  readonly size: number;
  /**
   * Space on the medium in bytes, less than `size` if the image is sparse;
   * `null` if unknown.
   */
  readonly allocated: number | null;
  /** Preferred size of a request in bytes (`st_blksize`). */
  readonly blockSize: number;
  /** The image's own times; `null` if it has none, so that the export keeps them. */
  readonly times: ImageTimes | null;
}

/**
 * A range of an image that is all data or all hole.
 *
 * @category Disks of your own
 */
export interface Extent {
  /** Whether it is data; a hole reads as zeroes. */
  readonly data: boolean;
  /** The position after its last byte. */
  readonly end: number;
}

/**
 * How a range is zeroed.
 *
 * @category Disks of your own
 */
export interface ZeroOptions {
  /**
   * Whether to free the space on the medium (FALLOC_FL_PUNCH_HOLE). A backend
   * that cannot free space returns `-EOPNOTSUPP` rather than write zeroes: a
   * program that discards a whole disk then stops trying.
   */
  readonly unmap: boolean;
}

/**
 * The bytes of a disk image.
 *
 * Positions and lengths are numbers of bytes, never negative. The export checks
 * bounds before it calls: reads and writes are inside the image, only `truncate`
 * changes its size, and a read-only export makes no call that writes. Calls for
 * different requests overlap in time where answers are promises.
 *
 * While an answer is outstanding, the event loop of its Worker runs, with
 * timers, `fetch()` and promises. Between requests the Worker sleeps in the
 * kernel and its timers do not run, unless `background` is true.
 *
 * @category Disks of your own
 */
export interface Backend {
  /** The image's name in messages: a path, `null:1G`, a URL. */
  readonly name: string;
  /**
   * Whether several threads may each have a backend of the same image at the
   * same time. If not, one queue serves it, on the thread that opened it.
   */
  readonly shared: boolean;
  /** Whether the image can be written to. */
  readonly writable: boolean;
  /**
   * Whether timers and sockets must work between requests, to keep a connection
   * alive for instance. The Worker then waits for requests in its event loop,
   * which is slower. No if left out.
   */
  readonly background?: boolean;
  /** Its internal snapshots; left out if it has none. */
  readonly snapshots?: ImageSnapshots;
  /** The current size, space and times. */
  stat(): Answer<ImageStat>;
  /**
   * Reads `length` bytes at `position` of the image into `buffer`, from byte
   * `start` of the buffer on.
   *
   * @param buffer At least `start + length` bytes, on loan until the answer.
   * @returns The bytes read. If they are fewer than `length`, the export reads
   * on after them, to learn why: an error comes then, or 0 at the end of the
   * image. Or `-errno` if there are none.
   */
  read(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): Answer;
  /**
   * Appends `length` bytes at `position` of the image to a pipe, which takes
   * less time than `read()` for large ranges of files. If left out, the image is
   * always read.
   *
   * @returns `length`, or anything else if that is not possible, at the moment
   * or for this range: the pipe is then discarded, and `read()` follows.
   */
  splice?(position: number, length: number, pipe: MessagePipe): number;
  /**
   * Writes `length` bytes of `buffer`, from its byte `start` on, at `position`
   * of the image.
   *
   * @param buffer At least `start + length` bytes, on loan until the answer.
   * @returns The bytes written: fewer than `length` if the medium is full or an
   * error follows them. Or `-errno` if there are none.
   */
  write(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): Answer;
  /**
   * Whether a write must not overlap in time with any other write to the image;
   * if left out, no write does.
   */
  needsExclusiveWrite?(position: number, length: number): boolean;
  /**
   * Told in the thread that opened the image: the thread of a queue has ended,
   * in the middle of requests perhaps. What it has locked is locked for good
   * otherwise.
   */
  queueEnded?(queue: number): void;
  /** Makes every write that was answered durable. 0 or `-errno`. */
  flush(): Answer;
  /**
   * Makes every write durable once no more changes come, and brings the image to
   * the state in which it is closed: `close()` writes nothing then. 0 or
   * `-errno`. If left out, `flush()` does that.
   */
  settle?(): Answer;
  /** Changes the size; new bytes read as zeroes. 0 or `-errno`. */
  truncate(size: number): Answer;
  /** Zeroes a range. 0 or `-errno`; `-EOPNOTSUPP` if it cannot. */
  zero(position: number, length: number, options: ZeroOptions): Answer;
  /**
   * Allocates space for a range without changing its bytes. 0 or `-errno`;
   * `-EOPNOTSUPP` if it cannot.
   */
  allocate(position: number, length: number): Answer;
  /** The extent that holds `position`, which is less than the size. */
  extent(position: number): Answer<Extent>;
  /**
   * Sets the image's times. Called only if `stat()` gives times. 0 or `-errno`.
   */
  setTimes(atime: NewTime, mtime: NewTime): Answer;
  /** Releases what the backend holds. No other call follows. */
  close(): Answer<void>;
}
