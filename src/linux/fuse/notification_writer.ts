/**
 * Writes notifications to /dev/fuse without blocking the calling thread.
 *
 * @module
 */

import type { FuseDevice } from "../../queue/fuse_device.ts";
import type { NotificationWriter } from "../../queue/notifier.ts";
import { AioWriter } from "../io/aio.ts";
import { cloneFuseDevice } from "./fuse_device.ts";

const BATCH_MAX = 64;
/** How long close() waits for a write in flight, in milliseconds. */
const CLOSE_MS = 1000;

/**
 * A descriptor of a FUSE connection that only takes notifications. They are
 * written in order, in a thread of Deno's pool: the kernel may wait for requests
 * on the inode that a notification names, and the calling thread may serve them.
 */
export class DeviceNotificationWriter implements NotificationWriter {
  readonly batchMax: number = BATCH_MAX;
  readonly #device: FuseDevice;
  readonly #aio: AioWriter;
  #inFlight: Promise<void> | null = null;
  #closed = false;

  /**
   * Clones a descriptor of a mounted connection.
   *
   * @param fd The descriptor.
   * @throws {SystemError} As {@linkcode cloneFuseDevice} and `AioWriter`.
   */
  constructor(fd: number) {
    this.#device = cloneFuseDevice(fd);
    try {
      this.#aio = new AioWriter(this.#device.fd, BATCH_MAX);
    } catch (error) {
      this.#device.close();
      throw error;
    }
  }

  async write(
    messages: readonly Uint8Array<ArrayBuffer>[],
    written: (index: number, result: number) => void,
  ): Promise<void> {
    this.#inFlight = this.#aio.write(messages, written);
    await this.#inFlight;
    this.#inFlight = null;
  }

  /**
   * Closes the descriptor; idempotent. The connection should have ended, which
   * ends a write in flight. If it does not end, the descriptor stays open,
   * because its number must not be used again while the kernel may write to it.
   */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<"late">((resolve) => {
      timer = setTimeout(() => resolve("late"), CLOSE_MS);
    });
    const isLate = await Promise.race([this.#inFlight, late]) === "late";
    clearTimeout(timer);
    if (isLate) return;
    this.#aio.close();
    this.#device.close();
  }
}
