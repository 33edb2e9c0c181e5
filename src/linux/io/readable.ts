/**
 * Waiting for a descriptor: at once by poll(2), or in another thread.
 *
 * @module
 */

import { pointerOf } from "../syscall/call_arguments.ts";
import { type Libc, libc } from "../syscall/libc.ts";

const POLLIN = 1;
const ONE_DESCRIPTOR = 1n;

// A thread in poll(2) keeps a closed descriptor's connection alive, and may
// have nobody to wake it. Bounding each wait bounds both, for one cheap call a
// second.
const LONGEST_WAIT_MS = 1000;

/** Asks of one descriptor whether reading it would wait. */
export class Readable {
  readonly #fd: number;
  readonly #libc: Libc = libc();
  readonly #pollfd: PollIn;
  #wait: Promise<void> | undefined;

  /** Looks at a descriptor. */
  constructor(fd: number) {
    this.#fd = fd;
    this.#pollfd = pollIn(fd);
  }

  /**
   * poll(2).
   *
   * @param limitMs How long to sleep at most, in milliseconds; not at all if
   * left out.
   */
  now(limitMs: number = 0): boolean {
    const { pointer } = this.#pollfd;
    return this.#libc.poll(pointer, ONE_DESCRIPTOR, limitMs) > 0;
  }

  /**
   * Resolves once reading would not wait, or within a second even so; timers
   * and promises of this thread go on meanwhile.
   */
  later(): Promise<void> {
    return this.#wait ??= this.#poll().finally(() => {
      this.#wait = undefined;
    });
  }

  async #poll(): Promise<void> {
    // Its own memory: another thread writes to it while now() may be called.
    const pollfd = pollIn(this.#fd);
    // An error's number is lost in the other thread: reading will tell it.
    await this.#libc.poll_nonblocking(
      pollfd.pointer,
      ONE_DESCRIPTOR,
      LONGEST_WAIT_MS,
    );
    // Keeps the memory alive until the wait has returned.
    pollfd.bytes.fill(0);
  }
}

/** A `struct pollfd` that asks for POLLIN. */
interface PollIn {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly pointer: Deno.PointerValue;
}

// struct pollfd { int fd; short events; short revents; }
function pollIn(fd: number): PollIn {
  const bytes = new Uint8Array(new ArrayBuffer(8));
  const view = new DataView(bytes.buffer);
  view.setInt32(0, fd, true);
  view.setInt16(4, POLLIN, true);
  return { bytes, pointer: pointerOf(bytes) };
}
