/**
 * What a {@linkcode DeviceQueue} needs of one /dev/fuse descriptor that is
 * bound to a mounted connection: the first one, or a clone of it.
 *
 * Calls that fail return a negative errno, as the kernel's own interface does.
 */
export interface FuseDevice {
  /** The descriptor's number in this process. */
  readonly fd: number;
  /**
   * read(2): fills `buffer` with one whole request. Waits for one when the
   * descriptor blocks; `-EAGAIN` when it does not and nothing is pending.
   *
   * @param buffer Always the same view for the same slot, so that its address
   * can be remembered; at least `max(8192, 80 + max_write)` bytes.
   * @returns The request's length in bytes, or a negative errno.
   */
  read(buffer: Uint8Array<ArrayBuffer>): number;
  /**
   * write(2): hands the first `length` bytes of `buffer`, one whole reply or
   * notification, to the kernel.
   *
   * @returns The bytes taken, or a negative errno.
   */
  write(buffer: Uint8Array<ArrayBuffer>, length: number): number;
  /** Switches O_NONBLOCK off (`true`) or on (`false`). */
  setBlocking(blocking: boolean): void;
  /**
   * poll(2): whether read() would give something, or an end.
   *
   * @param limitMs How long to sleep at most until it would, in milliseconds;
   * not at all if left out.
   */
  poll(limitMs?: number): boolean;
  /**
   * Resolves once read() would not wait, because a request is pending or the
   * connection has ended; or after a while even so. Timers and promises of this
   * thread go on meanwhile.
   */
  readable(): Promise<void>;
  /** close(2). Requests read here and not answered end with ECONNABORTED. */
  close(): void;
}
