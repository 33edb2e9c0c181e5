/**
 * The event source of a Worker: its thread sleeps in it, and asynchronous
 * operations register with it.
 *
 * There is one for each Worker: `RingEvents` over an io_uring, or `DeviceEvents`
 * over /dev/fuse, with an io_uring beside it for operations. A request queue
 * sleeps in it; the serve loop delivers the operations that have completed.
 *
 * @module
 */

/** Completes the asynchronous operations of one thread. */
export interface EventSource {
  /**
   * Operations that requests wait for and that are not settled yet; a request
   * counts once, however many operations it waits for. While as many operations
   * are in flight as requests are outstanding, no request waits for a promise,
   * so the thread may sleep in its queue.
   */
  readonly inFlight: number;
  /** Whether operations have completed that `settle()` has not settled. */
  readonly hasCompleted: boolean;
  /**
   * Hands each completed operation to its owner, which settles its
   * `Completion`: steps run, and replies are sent. Nothing else runs them: a
   * queue's `next()` only notes what has completed.
   */
  settle(): void;
  /** Blocks until no operation is in flight, settling each. */
  drain(): void;
  /** Drains and closes the event source; idempotent. */
  close(): void;
}

/** The event source of a thread that has no asynchronous operations. */
export const NO_OPERATIONS: EventSource = {
  inFlight: 0,
  hasCompleted: false,
  settle() {},
  drain() {},
  close() {},
};
