import { SpinLock } from "./locks.ts";
import type { Machine, Thread } from "./thread.ts";

/**
 * Who is woken for a request: the queue whose turn it is (the seed's words),
 * whoever has slept longest in `read()`, all that sleep in `ppoll()` (what
 * QEMU's threads do), or the queue of the submitting CPU (FUSE over io_uring).
 */
export type PredictionPolicy =
  | "round-robin"
  | "exclusive-fifo"
  | "herd"
  | "uring";

/** A request on its way. */
export interface ModelRequest {
  /** The job that waits for it. */
  readonly job: RequestOwner;
  /** The ring it goes through, if there are rings. */
  readonly ring: number;
}

/** Who sent a request. */
export interface RequestOwner {
  /** Its thread. */
  readonly thread: Thread;
  /** Notes that one of its requests has ended; true if it is to be woken. */
  ended(): boolean;
}

/** One server thread, as the dispatcher sees it. */
export interface Reader {
  /** Its number. */
  readonly index: number;
  /** Its thread. */
  readonly thread: Thread;
}

/** The kernel's pending requests and who sleeps until there are some. */
export class Dispatch {
  /** How requests find their queue. */
  readonly policy: PredictionPolicy;
  /** `fiq->lock`, of the connection. */
  readonly lock: SpinLock;
  /** `fc->bg_lock`, of the connection. */
  readonly backgroundLock: SpinLock;
  /** `queue->lock` of each ring. */
  readonly ringLocks: readonly SpinLock[];
  readonly #lists: ModelRequest[][];
  readonly #sleepers: Reader[] = [];
  #turn = -1;

  /** Makes empty lists: one, or one a queue, or one a ring. */
  constructor(
    machine: Machine,
    options: { policy: PredictionPolicy; threads: number; rings: number },
  ) {
    const { policy, threads, rings } = options;
    this.policy = policy;
    this.lock = new SpinLock(machine);
    this.backgroundLock = new SpinLock(machine);
    this.ringLocks = Array.from({ length: rings }, () => new SpinLock(machine));
    const lists = { "round-robin": threads, uring: rings }[policy as string];
    this.#lists = Array.from({ length: lists ?? 1 }, () => []);
  }

  /** Appends a request; returns the list it is in. */
  push(request: ModelRequest): number {
    const count = this.#lists.length;
    const list = this.policy === "uring"
      ? request.ring
      : (this.#turn = (this.#turn + 1) % count);
    this.#lists[list]!.push(request);
    return list;
  }

  /** Whether there is something for a reader. */
  ready(reader: Reader): boolean {
    return this.#listOf(reader).length > 0;
  }

  /** Takes the next request for a reader, if there is one. */
  take(reader: Reader): ModelRequest | undefined {
    return this.#listOf(reader).shift();
  }

  /** Takes all that is in one ring. */
  takeRing(ring: number): ModelRequest[] {
    return this.#lists[ring]!.splice(0);
  }

  /** Whether a ring has something. */
  ringReady(ring: number): boolean {
    return this.#lists[ring]!.length > 0;
  }

  /** Notes that a reader is going to sleep. */
  addSleeper(reader: Reader): void {
    //= fs/fuse/dev.c: poll_wait() puts its entry in front of the others, an
    //= exclusive wait behind them.
    if (this.policy === "herd") this.#sleepers.unshift(reader);
    else this.#sleepers.push(reader);
  }

  /** Notes that a reader has woken. */
  removeSleeper(reader: Reader): void {
    const at = this.#sleepers.indexOf(reader);
    if (at !== -1) this.#sleepers.splice(at, 1);
  }

  /** Whom to wake for a request in a list. */
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
