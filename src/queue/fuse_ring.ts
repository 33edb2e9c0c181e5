/**
 * What a `UringQueue` needs of an io_uring: entries that the kernel fills with
 * requests, file I/O, and one call that moves both.
 *
 * @module
 */

/** The memory of one entry: where one request and its reply lie. */
export interface FuseRingEntry {
  /** A fuse_uring_req_header. */
  readonly headers: Uint8Array<ArrayBuffer>;
  /** What follows the request's fixed struct, then the reply's body. */
  readonly payload: Uint8Array<ArrayBuffer>;
}

/** Calls on a file that a ring makes. */
export const FILE_CALL = {
  /** pread(2). */
  READ: 0,
  /** pwrite(2). */
  WRITE: 1,
  /** fdatasync(2). */
  SYNC: 2,
  /** fallocate(2). */
  ALLOCATE: 3,
} as const;

/** One of {@linkcode FILE_CALL}. */
export type FileCall = typeof FILE_CALL[keyof typeof FILE_CALL];

/**
 * A ring of submissions and completions that one thread uses.
 *
 * Whatever is prepared is submitted by the next `enter()`. A completion is told
 * by its tag: an entry's number; the number of entries for the watch; and
 * behind that the slots of file calls. Nothing may be prepared under a tag
 * whose completion has not been taken.
 */
export interface FuseRing {
  /** The entries, in the order of their numbers. */
  readonly entries: readonly FuseRingEntry[];
  /** How many file calls can be in flight at once. */
  readonly fileSlots: number;
  /** The tag of the completion taken last. */
  readonly tag: number;
  /** Its result: 0, a count, or a negative errno. */
  readonly result: number;
  /** Whether something was prepared and not submitted. */
  readonly dirty: boolean;
  /** Whether `enter(0)` would bring a completion; asks no kernel. */
  readonly lively: boolean;
  /** Prepares to offer an entry for the first time. */
  register(entry: number): void;
  /**
   * Prepares to hand over the reply that lies in an entry's memory and to
   * offer the entry again.
   */
  commit(entry: number): void;
  /** Prepares what is prepared for an entry or slot once more. */
  repeat(tag: number): void;
  /** Prepares to watch, once, for a message on /dev/fuse itself. */
  watch(): void;
  /**
   * Prepares a call on a file.
   *
   * @param slot Below `fileSlots`.
   * @param call Which.
   * @param fd The file's descriptor.
   * @param buffer For READ and WRITE; it stays where it is until the end.
   * @param start First byte in the buffer; the mode of ALLOCATE.
   * @param length Bytes.
   * @param position Where in the file.
   */
  file(
    slot: number,
    call: FileCall,
    fd: number,
    buffer: Uint8Array | null,
    start: number,
    length: number,
    position: number,
  ): void;
  /**
   * Submits what is prepared, and lets completions come in.
   *
   * @param least 1 to sleep until there is a completion, otherwise 0.
   * @returns 0 or a negative errno.
   */
  enter(least: 0 | 1): number;
  /** Takes a completion into `tag` and `result`; whether there was one. */
  take(): boolean;
  /**
   * Resolves once `enter(0)` may bring a completion; timers and promises of
   * this thread go on meanwhile.
   */
  readable(): Promise<void>;
  /** Lets go of the ring, but not of the memory of entries. Idempotent. */
  close(): void;
  /** Lets go of the memory; none of it may be touched afterwards. */
  release(): void;
}
