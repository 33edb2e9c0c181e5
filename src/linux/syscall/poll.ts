/**
 * Waiting for descriptors by poll(2), in this thread or in another one.
 *
 * @module
 */

import { POLL } from "../../base/file_flags.ts";
import { pointerOf } from "./ffi_values.ts";
import { type Libc, libc } from "./libc.ts";
import { inPool } from "./pool.ts";

const ONE_DESCRIPTOR = 1n;

// A thread in poll(2) keeps a FUSE connection open even if its descriptor is
// closed meanwhile, and nothing may wake it up. This limits both, at the cost of
// one call per second.
const LONGEST_WAIT_MS = 1000;
/** How long to wait where no thread can. */
const RETRY_MS = 10;

/**
 * Waits for events on one descriptor and blocks this thread meanwhile.
 *
 * @param fd The descriptor.
 * @param events {@linkcode POLL} values, ORed.
 * @param limitMs The longest wait in milliseconds.
 * @returns Whether one of the events, an error or a hang-up occurred in time.
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
    const ready = libc().poll(pointerOf(bytes), ONE_DESCRIPTOR, left);
    if (ready > 0) return true;
    if (ready <= 0 && left === 0) return false;
  }
}

/**
 * Waits for events on one descriptor in a thread of Deno's pool.
 *
 * @param fd The descriptor.
 * @param events {@linkcode POLL} values, ORed.
 * @param limitMs The longest wait in milliseconds.
 * @returns Whether one of the events, an error or a hang-up occurred in time.
 */
export async function waitForEventsAsync(
  fd: number,
  events: number,
  limitMs: number,
): Promise<boolean> {
  const bytes = pollfd(fd, events);
  const ready = await pollInPool(pointerOf(bytes), ONE_DESCRIPTOR, limitMs);
  // Keeps the memory alive until the call has returned.
  bytes.fill(0);
  return ready > 0;
}

/**
 * poll(2) in a thread of Deno's pool. Without a thread it looks once, after a
 * short wait.
 */
export function pollInPool(
  descriptors: Deno.PointerValue,
  count: bigint,
  limitMs: number,
): Promise<number> {
  return inPool(
    () => libc().poll_nonblocking(descriptors, count, limitMs),
    async () => {
      const ms = Math.min(RETRY_MS, limitMs);
      await new Promise((resolve) => setTimeout(resolve, ms));
      return libc().poll(descriptors, count, 0);
    },
  );
}

/** Blocks this thread for some milliseconds: poll(2) of no descriptor. */
export function sleep(ms: number): void {
  libc().poll(null, 0n, ms);
}

/** Waits until one descriptor can be read. */
export class Readable {
  readonly #fd: number;
  readonly #libc: Libc = libc();
  readonly #pollfd: Uint8Array<ArrayBuffer>;
  readonly #pointer: Deno.PointerValue;
  #wait: Promise<void> | undefined;

  /** Prepares waiting for a descriptor, which the caller keeps open. */
  constructor(fd: number) {
    this.#fd = fd;
    this.#pollfd = pollfd(fd, POLL.IN);
    this.#pointer = pointerOf(this.#pollfd);
  }

  /**
   * Whether a read would not block.
   *
   * @param limitMs The longest time to wait for that, blocking this thread, in
   * milliseconds; 0 by default.
   */
  poll(limitMs: number = 0): boolean {
    return this.#libc.poll(this.#pointer, ONE_DESCRIPTOR, limitMs) > 0;
  }

  /**
   * Resolves once a read would not block, and after a second in any case. Calls
   * at the same time share one wait.
   */
  wait(): Promise<void> {
    return this.#wait ??= this.#waitOnce().finally(() => {
      this.#wait = undefined;
    });
  }

  async #waitOnce(): Promise<void> {
    // Uses its own pollfd, because poll() may be called while another thread
    // writes to this one. Errors are left to the read that follows.
    await waitForEventsAsync(this.#fd, POLL.IN, LONGEST_WAIT_MS);
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
