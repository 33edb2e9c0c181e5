import { SpinLock } from "./locks.ts";
import type { Machine, Thread } from "./thread.ts";

/**
 * The policy that chooses whom to wake for a request: the queue whose turn it
 * is (as QEMU's manual says), the thread that has slept longest in `read()`,
 * all threads that sleep in `ppoll()` (what QEMU's threads get), or the ring
 * queue of the submitting CPU (FUSE over io_uring).
 */
export type PredictionPolicy =
  | "round-robin"
  | "exclusive-fifo"
  | "herd"
  | "uring";

/** A request. */
export interface ModelRequest {
  /** The job that waits for it. */
  readonly job: RequestOwner;
  /** The ring queue that carries it, with FUSE over io_uring. */
  readonly ringQueue: number;
}

/** The sender of a request. */
export interface RequestOwner {
  /** Its thread. */
  readonly thread: Thread;
  /** One of its requests has ended; returns whether to wake it. */
  ended(): boolean;
}

/** A server thread, as the dispatcher sees it. */
export interface Reader {
  /** Its number. */
  readonly index: number;
  /** Its thread. */
  readonly thread: Thread;
}

/** The kernel's pending lists and the threads that wait for them. */
export class Dispatch {
  /** The policy. */
  readonly policy: PredictionPolicy;
  /** The connection's `fiq->lock`. */
  readonly lock: SpinLock;
  /** The connection's `fc->bg_lock`. */
  readonly backgroundLock: SpinLock;
  /** The `queue->lock` of each ring queue. */
  readonly ringQueueLocks: readonly SpinLock[];
  readonly #lists: ModelRequest[][];
  readonly #sleepers: Reader[] = [];
  #turn = -1;

  /** Makes empty lists: one in all, or one for each thread or ring queue. */
  constructor(
    machine: Machine,
    options: { policy: PredictionPolicy; threads: number; ringQueues: number },
  ) {
    const { policy, threads, ringQueues } = options;
    this.policy = policy;
    this.lock = new SpinLock(machine);
    this.backgroundLock = new SpinLock(machine);
    this.ringQueueLocks = Array.from(
      { length: ringQueues },
      () => new SpinLock(machine),
    );
    const lists =
      { "round-robin": threads, uring: ringQueues }[policy as string];
    this.#lists = Array.from({ length: lists ?? 1 }, () => []);
  }

  /** Appends a request; returns the number of its list. */
  push(request: ModelRequest): number {
    const count = this.#lists.length;
    const list = this.policy === "uring"
      ? request.ringQueue
      : (this.#turn = (this.#turn + 1) % count);
    this.#lists[list]!.push(request);
    return list;
  }

  /** Whether a reader's list has a request. */
  ready(reader: Reader): boolean {
    return this.#listOf(reader).length > 0;
  }

  /** Removes the next request of a reader's list. */
  take(reader: Reader): ModelRequest | undefined {
    return this.#listOf(reader).shift();
  }

  /** Removes all requests of a ring queue. */
  takeRingQueue(ringQueue: number): ModelRequest[] {
    return this.#lists[ringQueue]!.splice(0);
  }

  /** Whether a ring queue has a request. */
  ringQueueReady(ringQueue: number): boolean {
    return this.#lists[ringQueue]!.length > 0;
  }

  /** A reader goes to sleep. */
  addSleeper(reader: Reader): void {
    //= fs/fuse/dev.c: poll_wait() adds its entry before the others, an
    //= exclusive wait after them.
    if (this.policy === "herd") this.#sleepers.unshift(reader);
    else this.#sleepers.push(reader);
  }

  /** A reader has woken up. */
  removeSleeper(reader: Reader): void {
    const at = this.#sleepers.indexOf(reader);
    if (at !== -1) this.#sleepers.splice(at, 1);
  }

  /** The threads to wake for a request in a list. */
  wakes(list: number, threads: number): Thread[] {
    const asleep = this.#sleepers.filter(({ thread }) => thread.asleep);
    const chosen = this.policy === "herd"
      ? asleep
      : this.policy === "exclusive-fifo"
      ? asleep.slice(0, 1)
      : asleep.filter(({ index }) => index === list % threads);
    return chosen.map(({ thread }) => thread);
  }

  #listOf(reader: Reader): ModelRequest[] {
    return this.#lists[this.#lists.length === 1 ? 0 : reader.index]!;
  }
}

/** The limit on asynchronous requests in flight: `fc->max_background`. */
export class BackgroundCount {
  readonly #max: number;
  readonly #waiting: Thread[] = [];
  #count = 0;

  /** Makes a limit of `max` requests. */
  constructor(max: number) {
    this.#max = max;
  }

  /**
   * Counts a request. Returns false if the limit is reached: then the thread
   * sleeps until it may try again.
   */
  add(thread: Thread): boolean {
    if (this.#count < this.#max) {
      this.#count++;
      return true;
    }
    this.#waiting.push(thread);
    thread.sleep();
    return false;
  }

  /** A request has ended; returns a sleeping thread that may try again. */
  end(): Thread | undefined {
    this.#count--;
    return this.#waiting.shift();
  }
}
