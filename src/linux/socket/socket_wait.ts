/**
 * Waiting for a socket without blocking the calling thread.
 *
 * @module
 */

import { libc } from "../syscall/libc.ts";
import { eventsLater, POLL } from "./socket.ts";

const SHUT_RDWR = 2;

// A wait that misses its end goes on for as long at most.
const LONGEST_WAIT_MS = 1000;

/** Waits for one socket. */
export class SocketWait {
  readonly #fd: number;
  readonly #waits = new Set<Promise<boolean>>();
  #ended = false;

  /** Waits for a socket. */
  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Whether {@linkcode end} was called. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Resolves once reading or accepting would not wait, or it has ended. */
  async readable(): Promise<void> {
    while (!await this.#wait(POLL.IN, LONGEST_WAIT_MS));
  }

  /**
   * Resolves once writing would not wait, or it has ended.
   *
   * @param limitMs Milliseconds.
   * @returns Whether that came in time.
   */
  async writable(limitMs: number): Promise<boolean> {
    const deadline = performance.now() + limitMs;
    for (;;) {
      const left = Math.ceil(deadline - performance.now());
      if (left <= 0) return false;
      if (await this.#wait(POLL.OUT, Math.min(left, LONGEST_WAIT_MS))) {
        return true;
      }
    }
  }

  /**
   * Ends the socket's life on both sides, and every wait. When this resolves,
   * no thread uses the descriptor any more, and it may be closed.
   */
  async end(): Promise<void> {
    this.#ended = true;
    // Wakes whoever polls it.
    libc().shutdown(this.#fd, SHUT_RDWR);
    await Promise.all(this.#waits);
  }

  async #wait(events: number, limitMs: number): Promise<boolean> {
    if (this.#ended) return true;
    const wait = eventsLater(this.#fd, events, limitMs);
    this.#waits.add(wait);
    try {
      return await wait || this.#ended;
    } finally {
      this.#waits.delete(wait);
    }
  }
}
