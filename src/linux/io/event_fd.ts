/**
 * eventfd(2): how the kernel, or another thread, wakes this one.
 *
 * @module
 */

import { pointerOf } from "../syscall/ffi_values.ts";
import { Readable } from "../syscall/poll.ts";
import { closeDescriptor, OPEN } from "../syscall/descriptor.ts";
import { errno, libc } from "../syscall/libc.ts";
import { SystemError } from "../syscall/system_error.ts";

const SIZE = 8n;

/** A descriptor that can be signalled. */
export class EventFd {
  /** The descriptor. */
  readonly fd: number;
  readonly #readable: Readable;
  readonly #count: Uint8Array<ArrayBuffer> = new Uint8Array(new ArrayBuffer(8));
  readonly #pointer: Deno.PointerValue = pointerOf(this.#count);
  #closed = false;

  /**
   * Makes one that has not been signalled.
   *
   * @throws {SystemError} EMFILE, ENFILE, ENOMEM.
   */
  constructor() {
    this.fd = libc().eventfd(0, OPEN.CLOEXEC | OPEN.NONBLOCK);
    if (this.fd < 0) {
      throw new SystemError({
        call: "eventfd",
        action: "make an eventfd",
        errno: errno(),
      });
    }
    this.#readable = new Readable(this.fd);
  }

  /**
   * Resolves once it has been signalled since the last time, or within a second
   * even so.
   */
  async signalled(): Promise<void> {
    await this.#readable.later();
    // Takes the signal back; there may be none, after another waiter.
    if (!this.#closed) libc().read(this.fd, this.#pointer, SIZE);
  }

  /** Closes it. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeDescriptor(this.fd);
  }
}
