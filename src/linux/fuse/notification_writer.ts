/**
 * Writes notifications to /dev/fuse without blocking the calling thread.
 *
 * @module
 */

import type { FuseDevice } from "../../queue/fuse_device.ts";
import { pointerOf } from "../syscall/ffi_values.ts";
import { type Libc, libc } from "../syscall/libc.ts";
import { cloneFuseDevice } from "./fuse_device.ts";

/**
 * Most notifications in flight. Each occupies one of Deno's 32 threads for
 * blocking calls, and threads must remain for the requests that notifications
 * wait for.
 */
const IN_FLIGHT_MAX = 4;
/** How long close() waits for notifications in flight, in milliseconds. */
const CLOSE_MS = 1000;

/**
 * A descriptor of a FUSE connection that only takes notifications. Each is
 * written in a thread of Deno's pool: the kernel may wait for requests on the
 * inode that the notification names, and the calling thread may serve them.
 */
export class NotificationWriter {
  readonly #device: FuseDevice;
  readonly #libc: Libc = libc();
  readonly #inFlight: Set<Promise<boolean>> = new Set();
  #closed = false;

  /**
   * Clones a descriptor of a mounted connection.
   *
   * @param fd The descriptor.
   * @throws {SystemError} As {@linkcode cloneFuseDevice}.
   */
  constructor(fd: number) {
    this.#device = cloneFuseDevice(fd);
  }

  /**
   * Writes a whole notification; waits first while others are in flight.
   *
   * @returns Whether the kernel accepted it. Its errno is lost, because the
   * call runs in another thread. `false` once this is closed.
   */
  async write(message: Uint8Array<ArrayBuffer>): Promise<boolean> {
    while (this.#inFlight.size >= IN_FLIGHT_MAX) {
      await Promise.race(this.#inFlight);
    }
    if (this.#closed) return false;
    const written = this.#write(message);
    this.#inFlight.add(written);
    written.finally(() => this.#inFlight.delete(written));
    return await written;
  }

  /**
   * Closes the descriptor; idempotent. The connection should have ended, which
   * ends notifications in flight. If they do not end, the descriptor stays
   * open, because its number must not be used again while they may write.
   */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<"late">((resolve) => {
      timer = setTimeout(() => resolve("late"), CLOSE_MS);
    });
    const ended = Promise.all(this.#inFlight);
    const isLate = await Promise.race([ended, late]) === "late";
    clearTimeout(timer);
    if (!isLate) this.#device.close();
  }

  async #write(message: Uint8Array<ArrayBuffer>): Promise<boolean> {
    const { byteLength } = message;
    const written = await this.#libc.write_nonblocking(
      this.#device.fd,
      pointerOf(message),
      BigInt(byteLength),
    );
    // Using the buffer here keeps it alive until the call has returned.
    return written === message.byteLength;
  }
}
