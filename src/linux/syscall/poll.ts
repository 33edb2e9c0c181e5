/**
 * Waiting for descriptors: poll(2), in this thread or in another.
 *
 * @module
 */

import { pointerOf } from "./ffi_values.ts";
import { type Libc, libc } from "../syscall/libc.ts";

/** Events of poll(2). */
export const POLL = {
  /** Something to read, somebody to accept, or the end. */
  IN: 1,
  /** Room to write. */
  OUT: 4,
} as const;

/**
 * poll(2) of one descriptor; this thread does nothing else meanwhile.
 *
 * @param fd The descriptor.
 * @param events {@linkcode POLL} values, ORed.
 * @param limitMs Milliseconds.
 * @returns Whether one of them, or an error or end, came in time.
 */
export function waitForEvents(
  fd: number,
  events: number,
  limitMs: number,
): boolean {
  const bytes = pollfd(fd, events);
  const deadline = performance.now() + limitMs;
  for (;;) {
    const left = Math.max(0, Math.ceil(deadline - performance.now()));
    const ready = libc().poll(pointerOf(bytes), 1n, left);
    if (ready > 0) return true;
    if (ready <= 0 && left === 0) return false;
  }
}

/**
 * The same, waiting in a thread of Deno's pool.
 *
 * @param fd The descriptor.
 * @param events {@linkcode POLL} values, ORed.
 * @param limitMs Milliseconds.
 * @returns Whether one of them, or an error or end, came in time.
 */
export async function eventsLater(
  fd: number,
  events: number,
  limitMs: number,
): Promise<boolean> {
  const bytes = pollfd(fd, events);
  const ready = await libc().poll_nonblocking(pointerOf(bytes), 1n, limitMs);
  // Keeps the memory alive until the call has returned.
  bytes.fill(0);
  return ready > 0;
}

const ONE_DESCRIPTOR = 1n;

// A thread in poll(2) keeps a closed descriptor's connection alive, and may
// have nobody to wake it. Bounding each wait bounds both, for one cheap call a
// second.
const LONGEST_WAIT_MS = 1000;

/** Asks of one descriptor whether reading it would wait. */
export class Readable {
  readonly #fd: number;
  readonly #libc: Libc = libc();
  readonly #pollfd: Uint8Array<ArrayBuffer>;
  readonly #pointer: Deno.PointerValue;
  #wait: Promise<void> | undefined;

  /** Looks at a descriptor. */
  constructor(fd: number) {
    this.#fd = fd;
    this.#pollfd = pollfd(fd, POLL.IN);
    this.#pointer = pointerOf(this.#pollfd);
  }

  /**
   * poll(2).
   *
   * @param limitMs How long to sleep at most, in milliseconds; not at all if
   * left out.
   */
  now(limitMs: number = 0): boolean {
    return this.#libc.poll(this.#pointer, ONE_DESCRIPTOR, limitMs) > 0;
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
    // With memory of its own: another thread writes to it while now() may be
    // called. An error's number is lost there; reading will show it.
    await eventsLater(this.#fd, POLL.IN, LONGEST_WAIT_MS);
  }
}

// struct pollfd { int fd; short events; short revents; }
function pollfd(fd: number, events: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(new ArrayBuffer(8));
  const view = new DataView(bytes.buffer);
  view.setInt32(0, fd, true);
  view.setInt16(4, events, true);
  return bytes;
}
