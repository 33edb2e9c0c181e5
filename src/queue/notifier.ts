/**
 * Notifications: messages to the kernel that answer no request, such as "the
 * contents of this inode have changed". `encodeNotification()` makes them.
 *
 * @module
 */
import { ERRNO } from "../base/errno.ts";
import type { FuseDevice } from "./fuse_device.ts";

/**
 * Sends notifications to the kernel, real or simulated.
 *
 * @category Notifications
 */
export interface Notifier {
  /**
   * Sends a whole notification: a message whose `unique` is 0.
   *
   * The kernel acts on it before this returns, and may wait meanwhile for
   * requests on the inode that it names. So another thread must be able to
   * answer them.
   *
   * @returns 0, or a negative errno: `-ENOENT` if the kernel does not know the
   * inode, `-EINVAL` for a malformed message, `-ENODEV` once the connection or
   * the notifier is closed.
   */
  notify(message: Uint8Array<ArrayBuffer>): number;
}

/**
 * Sends notifications by write(2) on a descriptor of /dev/fuse. Any descriptor
 * of a connection will do; a clone that serves no queue can be used while
 * other threads serve theirs.
 *
 * @category Notifications
 */
export class DeviceNotifier implements Notifier {
  readonly #device: Pick<FuseDevice, "write" | "close">;
  #closed = false;

  /** Makes a notifier of a descriptor of a mounted connection. */
  constructor(device: Pick<FuseDevice, "write" | "close">) {
    this.#device = device;
  }

  notify(message: Uint8Array<ArrayBuffer>): number {
    if (this.#closed) return -ERRNO.ENODEV;
    return Math.min(0, this.#device.write(message, message.byteLength));
  }

  /** Closes the descriptor. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#device.close();
  }
}
