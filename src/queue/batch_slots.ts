/**
 * Slots of an io_uring in which a queue reads requests from /dev/fuse and
 * answers them, several with one system call.
 *
 * They use a descriptor of their own, which does not block: a READ that finds
 * no request completes at once with `-EAGAIN`. A request that was read here has
 * to be answered here.
 */
export interface BatchSlots {
  /** The first slot of the ring; those of READs come first, then WRITEs. */
  readonly first: number;
  /** READs that may be pushed at once. */
  readonly reads: number;
  /** WRITEs that may be pushed at once. */
  readonly writes: number;
  /**
   * Pushes read(2).
   *
   * @param index Which READ, below `reads`.
   * @param buffer As for `FuseDevice.read()`.
   */
  read(index: number, buffer: Uint8Array<ArrayBuffer>): void;
  /**
   * Pushes write(2) of a whole reply. It completes only if it fails, and in the
   * same `enter()` that submits it.
   *
   * @param index Which WRITE, below `writes`.
   * @param buffer The reply.
   * @param length Its bytes.
   */
  write(index: number, buffer: Uint8Array<ArrayBuffer>, length: number): void;
  /** Pushes the cancellation of a READ. */
  cancel(index: number): void;
}
