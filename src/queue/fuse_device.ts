import type { ReadableDevice } from "../event/device_events.ts";

/**
 * One /dev/fuse descriptor that is bound to a mounted connection: the first
 * one, or a clone of it.
 *
 * `read()` fills a buffer with one whole request. The buffer has at least
 * `max(8192, 80 + max_write)` bytes, and is always the same view for the same
 * slot of a queue, so that its address can be remembered. `readable()` resolves
 * when a request is pending or the connection has ended.
 *
 * Calls that fail return a negative errno, as the kernel's own interface does.
 *
 * @category Queues
 */
export interface FuseDevice extends ReadableDevice {
  /** The descriptor's number in this process. */
  readonly fd: number;
  /**
   * write(2): sends the first `length` bytes of `buffer`, one whole reply or
   * notification, to the kernel.
   *
   * @returns The bytes taken, or a negative errno.
   */
  write(buffer: Uint8Array<ArrayBuffer>, length: number): number;
  /** close(2). Requests read here and not answered end with ECONNABORTED. */
  close(): void;
}
