import { POLL } from "../base/file_flags.ts";
import { ERRNO } from "../base/errno.ts";
import { US_PER_MS } from "../base/timespec.ts";
import type { EventSource } from "./event_source.ts";
import { PollStrategy } from "./poll_strategy.ts";
import type { RingOwner } from "./ring.ts";
import type { RingEvents } from "./ring_events.ts";

/** Microseconds of polling before another thread waits, which takes longer. */
const READY_POLL_US = 30;
/** Such waits in a row after which timers and events of this thread run. */
const READY_POLLS_MAX = 32;
/** Polls in a row before the thread yields its core. */
const POLLS = 4;
/** What a poll returns if there is something to read: <poll.h>. */

/** Reads in a row after which operations are submitted. */
const READS = 16;

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
 * Two slots of a ring, by which a thread that sleeps in the ring notices that a
 * descriptor can be read, and that it has slept long enough.
 *
 * @internal
 */
export interface DeviceSlots {
  /** The first of them, {@linkcode POLL_SLOT}; the other one is the timer. */
  readonly first: number;
  /** Pushes a poll, which completes once the descriptor can be read. */
  poll(): void;
  /** Pushes a timer, which completes after some milliseconds. */
  startTimer(ms: number): void;
}

const READY_POLL = new PollStrategy(READY_POLL_US);

/** The slot of the poll among {@linkcode DeviceSlots}. */
const POLL_SLOT = 0;
const SLOTS = 2;

/** A ring beside the descriptor, and the slots that watch the descriptor. */
interface RingBeside {
  readonly events: RingEvents;
  readonly slots: DeviceSlots;
}

/**
 * The event source of a thread that sleeps in read(2) on one descriptor, or in
 * a ring while operations of that ring are in flight. Without a ring it has no
 * operations.
 *
 * A sleeping read(2) wakes one thread for a request; a poll in a ring wakes
 * each thread that has one. So the ring polls only while it has operations.
 */
export class DeviceEvents implements EventSource, RingOwner {
  readonly #device: ReadableDevice;
  readonly #poll: PollStrategy;
  readonly #longestSleepMs: number | undefined;
  readonly #isPending: () => boolean;
  #ring: RingBeside | null = null;
  /** Whether `read()` returned something that was there at once. */
  #cameAtOnce = false;
  #looksFirst = false;
  /** Whether the last poll ended although there was nothing to read. */
  #hasError = false;
  /** Whether the poll and the timer are in flight. */
  #isPolling = false;
  #isTiming = false;
  /** Reads since operations were submitted last. */
  #reads = 0;
  /** Calls of `ready()` since timers and events of this thread ran. */
  #readyPolls = 0;
  /** The errno with which the ring failed, else 0. */
  #failure = 0;
  #hasLostOperations = false;
  /** The last result of `operationReady()`, while it is pending. */
  #operationReady: Promise<void> | null = null;

  /** Makes an event source of a descriptor, whose owner closes it. */
  constructor(device: ReadableDevice, options: DeviceEventsOptions = {}) {
    this.#device = device;
    this.#poll = options.poll ?? new PollStrategy(0);
    this.#longestSleepMs = options.longestSleepMs;
    this.#isPending = () => device.poll();
  }

  /**
   * Adds a ring for operations, which `close()` closes.
   *
   * @param looksFirst Whether `read()` notes if there is something at once.
   * @internal
   */
  addRing(
    events: RingEvents,
    slots: DeviceSlots,
    looksFirst: boolean = false,
  ): void {
    this.#ring = { events, slots };
    this.#looksFirst = looksFirst;
    events.register(this, slots.first, SLOTS);
  }

  get inFlight(): number {
    return this.#ring === null ? 0 : this.#ring.events.inFlight;
  }

  /** Whether completions of the ring are awaited. */
  get isBusy(): boolean {
    return this.#ring !== null && this.#ring.events.isBusy;
  }

  get hasCompleted(): boolean {
    return this.#ring !== null && this.#ring.events.hasCompleted;
  }

  /**
   * Whether operations were in flight when the ring was closed, so that the
   * kernel may still write to their memory.
   */
  get hasLostOperations(): boolean {
    return this.#hasLostOperations;
  }

  /**
   * Whether the last `read()` that blocked would not have had to; known of one
   * that polls.
   */
  get cameAtOnce(): boolean {
    return this.#cameAtOnce;
  }

  /** Whether the ring polls the descriptor: there was nothing to read. */
  get isPolling(): boolean {
    return this.#isPolling;
  }

  /** Whether the ring's poll has found an error, which read(2) will tell. */
  get hasError(): boolean {
    return this.#hasError;
  }

  /**
   * read(2).
   *
   * @param mayBlock Whether to sleep until there is something to read, an
   * operation has completed, or the longest sleep is over.
   * @returns Bytes, or a negative errno: `-EAGAIN` if there is nothing to read
   * or an operation has completed.
   */
  read(buffer: Uint8Array<ArrayBuffer>, mayBlock: boolean): number {
    const ring = this.#ring;
    if (ring !== null && ring.events.isBusy) {
      return this.#readBeside(ring, buffer, mayBlock);
    }
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
   * Resolves once `read()` has something to return or an operation has
   * completed, or after a while; timers and promises of this thread run
   * meanwhile.
   */
  async ready(): Promise<void> {
    const ring = this.#ring;
    if (ring === null || this.#failure !== 0) return this.#readable();
    // Takes what has completed: it would end the wait at once, every time.
    ring.events.wait(false);
    if (ring.events.hasCompleted) return;
    this.#startPoll(ring);
    await ring.events.ready();
  }

  /**
   * Sleeps in the ring until there may be something to read.
   *
   * @param mayBlock Whether to sleep at all.
   * @returns `false` if an operation has completed, or the caller should look
   * whether to go on.
   */
  waitBeside(mayBlock: boolean): boolean {
    const ring = this.#ring!;
    this.#startPoll(ring);
    for (;;) {
      if (this.#failure !== 0 || ring.events.hasCompleted) return false;
      const goesOn = this.#sleep(ring, mayBlock);
      if (!this.#isPolling) return true;
      if (!goesOn) return false;
    }
  }

  /**
   * Takes completions, for a caller that has no memory to read into.
   *
   * @param mayBlock Whether to sleep until an operation has completed, or the
   * longest sleep is over.
   */
  waitForOperation(mayBlock: boolean): void {
    const ring = this.#ring;
    while (ring !== null && ring.events.isBusy && this.#failure === 0) {
      if (ring.events.hasCompleted || !this.#sleep(ring, mayBlock)) return;
    }
  }

  /**
   * Resolves once an operation may have completed, or after a while; `null` if
   * none is in flight.
   */
  operationReady(): Promise<void> | null {
    const ring = this.#ring;
    if (ring === null || !ring.events.isBusy) return null;
    ring.events.wait(false);
    if (ring.events.hasCompleted) return Promise.resolve();
    return this.#operationReady ??= ring.events.ready()
      .finally(() => this.#operationReady = null);
  }

  settle(): void {
    this.#ring?.events.settle();
  }

  drain(): void {
    this.#ring?.events.drain();
  }

  close(): void {
    this.#ring?.events.close();
  }

  completed(slot: number, result: number): void {
    if (slot !== POLL_SLOT) {
      this.#isTiming = false;
    } else {
      this.#isPolling = false;
      this.#hasError = (result & POLL.IN) === 0;
    }
  }

  ringFailed(errno: number): void {
    this.#failure = errno;
  }

  ringClosed(quiet: boolean): void {
    this.#isPolling = false;
    this.#hasLostOperations = !quiet;
  }

  /** `ready()` without a ring: in another thread, unless it is soon. */
  async #readable(): Promise<void> {
    const polls = this.#readyPolls++ < READY_POLLS_MAX;
    if (polls && READY_POLL.poll(READY_POLL_US, POLLS, this.#isPending)) return;
    this.#readyPolls = 0;
    await this.#device.readable();
  }

  /** `read()` while operations are in flight. */
  #readBeside(
    ring: RingBeside,
    buffer: Uint8Array<ArrayBuffer>,
    mayBlock: boolean,
  ): number {
    const device = this.#device;
    for (;;) {
      if (this.#failure !== 0) return -this.#failure;
      if (this.#reads >= READS) this.#sleep(ring, false);
      if (ring.events.hasCompleted) return -ERRNO.EAGAIN;
      if (!this.#isPolling) {
        device.setBlocking(false);
        const received = device.read(buffer);
        this.#reads++;
        if (received !== -ERRNO.EAGAIN) return received;
        this.#startPoll(ring);
      }
      const goesOn = this.#sleep(ring, mayBlock);
      if (!goesOn && this.#isPolling) return -ERRNO.EAGAIN;
    }
  }

  #startPoll({ slots }: RingBeside): void {
    if (this.#isPolling) return;
    this.#isPolling = true;
    slots.poll();
  }

  /**
   * Submits operations and dispatches completions.
   *
   * @param mayBlock Whether to sleep until there is one.
   * @returns Whether the caller may sleep again.
   */
  #sleep({ events, slots }: RingBeside, mayBlock: boolean): boolean {
    this.#reads = 0;
    const limitMs = this.#longestSleepMs;
    const isLimited = mayBlock && limitMs !== undefined;
    if (isLimited && !this.#isTiming) {
      this.#isTiming = true;
      slots.startTimer(limitMs);
    }
    events.wait(mayBlock);
    return mayBlock && !(isLimited && !this.#isTiming);
  }

  /** read(2) that sleeps, after polling if that is worth it. */
  #readBlocking(buffer: Uint8Array<ArrayBuffer>): number {
    const device = this.#device;
    const window = this.#poll.window(1);
    // What came while this thread served, or did not run, tells nothing of how
    // long a wait takes.
    this.#cameAtOnce = (window > 0 || this.#looksFirst) && device.poll();
    if (this.#cameAtOnce) return device.read(buffer);
    if (window === 0 && !this.#poll.adapts) return device.read(buffer);
    if (window > 0 && this.#poll.poll(window, POLLS, this.#isPending)) {
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
