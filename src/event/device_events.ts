import { ERRNO } from "../base/errno.ts";
import { US_PER_MS } from "../base/timespec.ts";
import type { EventSource } from "./event_source.ts";
import { PollStrategy } from "./poll_strategy.ts";

/** Polls in a row before the thread yields its core. */
const POLLS = 4;

/**
 * A descriptor that a thread can wait for. Calls that fail return a negative
 * errno.
 */
export interface ReadableDevice {
  /**
   * read(2). Waits if the descriptor blocks; `-EAGAIN` if it does not and there
   * is nothing to read.
   */
  read(buffer: Uint8Array<ArrayBuffer>): number;
  /** Switches O_NONBLOCK off (`true`) or on (`false`). */
  setBlocking(blocking: boolean): void;
  /**
   * poll(2): whether `read()` would not wait.
   *
   * @param limitMs How long to sleep at most until then, in milliseconds; not
   * at all if left out.
   */
  poll(limitMs?: number): boolean;
  /**
   * Resolves once `read()` would not wait, or after a while. Timers and
   * promises of this thread run meanwhile.
   */
  readable(): Promise<void>;
}

/** The options of {@linkcode DeviceEvents}. */
export interface DeviceEventsOptions {
  /** How long to poll before sleeping; not at all if left out. */
  readonly poll?: PollStrategy;
  /**
   * How long to sleep at most, in milliseconds, for a session whose end may not
   * wake a sleeping reader; without limit if left out. The thread then sleeps
   * in poll(2), which wakes all queues for each request.
   */
  readonly longestSleepMs?: number | undefined;
}

/**
 * The event source of a thread that sleeps in read(2) on one descriptor. It has
 * no operations.
 */
export class DeviceEvents implements EventSource {
  readonly inFlight = 0;
  readonly hasCompleted = false;
  readonly #device: ReadableDevice;
  readonly #poll: PollStrategy;
  readonly #longestSleepMs: number | undefined;
  readonly #isPending: () => boolean;

  /** Makes an event source of a descriptor, whose owner closes it. */
  constructor(device: ReadableDevice, options: DeviceEventsOptions = {}) {
    this.#device = device;
    this.#poll = options.poll ?? new PollStrategy(0);
    this.#longestSleepMs = options.longestSleepMs;
    this.#isPending = () => device.poll();
  }

  /**
   * read(2).
   *
   * @param mayBlock Whether to sleep until there is something to read, or the
   * longest sleep is over.
   * @returns Bytes, or a negative errno: `-EAGAIN` if there is nothing to read.
   */
  read(buffer: Uint8Array<ArrayBuffer>, mayBlock: boolean): number {
    const device = this.#device;
    const blocks = mayBlock && this.#longestSleepMs === undefined;
    device.setBlocking(blocks);
    if (!blocks) {
      if (mayBlock) device.poll(this.#longestSleepMs);
      return device.read(buffer);
    }
    for (;;) {
      const received = this.#readBlocking(buffer);
      // A blocking descriptor never returns EAGAIN.
      if (received !== -ERRNO.EAGAIN) return received;
    }
  }

  /**
   * Resolves once `read()` has something to return, or after a while; timers
   * and promises of this thread run meanwhile.
   */
  ready(): Promise<void> {
    return this.#device.readable();
  }

  settle(): void {}

  drain(): void {}

  close(): void {}

  /** read(2) that sleeps, after polling if that is worth it. */
  #readBlocking(buffer: Uint8Array<ArrayBuffer>): number {
    const device = this.#device;
    const window = this.#poll.window(1);
    if (window === 0 && !this.#poll.adapts) return device.read(buffer);
    if (window > 0 && this.#poll.poll(window, POLLS, this.#isPending)) {
      this.#poll.waited(0);
      return device.read(buffer);
    }
    const start = performance.now();
    // If another reader took the request, this thread sleeps here, where the
    // kernel wakes one reader at a time.
    const received = device.read(buffer);
    this.#poll.waited(window + (performance.now() - start) * US_PER_MS);
    return received;
  }
}
