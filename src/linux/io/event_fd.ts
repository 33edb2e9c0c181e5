/**
 * eventfd(2): a descriptor that the kernel signals, to wake this thread up.
 *
 * @module
 */

import { closeDescriptor, OPEN } from "../syscall/descriptor.ts";
import { pointerOf } from "../syscall/ffi_values.ts";
import { errno, libc } from "../syscall/libc.ts";
import { Readable } from "../syscall/poll.ts";
import { SystemError } from "../syscall/system_error.ts";

const SIZE = 8n;

/** An eventfd, not signalled at first. */
export class EventFd {
  /** The descriptor. */
  readonly fd: number;
  readonly #readable: Readable;
  readonly #count: Uint8Array<ArrayBuffer> = new Uint8Array(new ArrayBuffer(8));
  readonly #pointer: Deno.PointerValue = pointerOf(this.#count);
  #closed = false;

  /**
   * Creates an eventfd.
   *
   * @throws {SystemError} EMFILE, ENFILE, ENOMEM.
   */
  constructor() {
    this.fd = libc().eventfd(0, OPEN.CLOEXEC | OPEN.NONBLOCK);
    if (this.fd < 0) {
      throw new SystemError({
        call: "eventfd",
        action: "create an eventfd",
        errno: errno(),
      });
    }
    this.#readable = new Readable(this.fd);
  }

  /**
   * Resolves once the eventfd has been signalled since the last call, and after
   * a second in any case.
   */
  async signalled(): Promise<void> {
    await this.#readable.wait();
    // Clears the signal. Fails with EAGAIN if there was none.
    if (!this.#closed) libc().read(this.fd, this.#pointer, SIZE);
  }

  /** Closes the descriptor. Later calls do nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeDescriptor(this.fd);
  }
}
