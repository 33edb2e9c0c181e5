/**
 * An io_uring as its event source and the owners of its slots use it.
 *
 * @module
 */

/**
 * An io_uring that one thread uses.
 *
 * Each of its submission slots belongs to one owner, who reserves a range. The
 * owner fills a slot in and pushes it; the next `enter()` submits it. The
 * completion has the slot's number as its tag. A slot must not be filled in or
 * pushed again before its completion has been taken.
 */
export interface Ring {
  /** The slot of the completion taken last. */
  readonly tag: number;
  /** Its result: 0, a count, or a negative errno. */
  readonly result: number;
  /** Whether slots were pushed and not submitted yet. */
  readonly needsSubmit: boolean;
  /** Whether a completion is there for `take()`. Makes no system call. */
  readonly hasCompletion: boolean;
  /**
   * Whether a completion is there or `enter(0)` may bring one. Makes no system
   * call.
   */
  readonly hasWork: boolean;
  /**
   * Reserves a range of slots.
   *
   * @returns The first of them.
   * @throws {RangeError} If there are not enough left.
   */
  reserve(slots: number): number;
  /** Puts a slot into the submission queue. */
  push(slot: number): void;
  /**
   * io_uring_enter(2): submits what was pushed and lets completions arrive.
   *
   * @param least 1 to sleep until there is a completion, otherwise 0.
   * @returns 0 or a negative errno.
   */
  enter(least: 0 | 1): number;
  /** Takes a completion into `tag` and `result`; whether there was one. */
  take(): boolean;
  /**
   * Resolves once a completion is there or `enter(0)` may bring one, and after
   * a while; timers and promises of this thread run meanwhile.
   */
  readable(): Promise<void>;
  /** Closes the io_uring and cancels what is in flight. Idempotent. */
  close(): void;
}

/** The owner of a range of slots of a ring. */
export interface RingOwner {
  /**
   * Notes that the submission in a slot has completed. It may push the slot
   * again, but must not run code of a handler or backend, which runs in
   * `EventSource.settle()`.
   *
   * @param slot From 0, within the owner's range.
   * @param result 0, a count, or a negative errno.
   */
  completed(slot: number, result: number): void;
  /** The ring cannot be used any more: io_uring_enter(2) failed. */
  ringFailed(errno: number): void;
  /**
   * The ring was closed.
   *
   * @param quiet Whether the kernel can no longer write to the memory of any
   * submission.
   */
  ringClosed(quiet: boolean): void;
}
