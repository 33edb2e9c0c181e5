import { Fifo } from "./fifo.ts";
import type { SimRequest } from "./sim_request.ts";

/** What the kernel allows where the server does not say: fs/fuse/fuse_i.h. */
const DEFAULT_MAX_BACKGROUND = 12;

/** Requests that wait in the background, of one queue where each has its own. */
interface BackgroundQueue {
  readonly waiting: Fifo<SimRequest>;
  active: number;
}

/** The limit on requests that nobody sleeps for. */
export class BackgroundLimit {
  /** Background requests in flight at most. */
  max: number = DEFAULT_MAX_BACKGROUND;
  #count = 0;
  #active = 0;
  #blocked = false;
  readonly #queues: readonly BackgroundQueue[];
  readonly #send: (request: SimRequest) => void;

  /**
   * Makes a limit.
   *
   * @param send Takes what is let through.
   * @param lanes Queues of an io_uring that each have a share; 0 for none.
   */
  constructor(send: (request: SimRequest) => void, ringQueues: number = 0) {
    this.#send = send;
    this.#queues = Array.from(
      { length: Math.max(1, ringQueues) },
      () => ({ waiting: new Fifo(), active: ringQueues === 0 ? 1 : 0 }),
    );
  }

  /** Whether whoever brings another one has to sleep. */
  get blocked(): boolean {
    return this.#blocked;
  }

  /** Background requests that were sent and have not ended. */
  get active(): number {
    return this.#active;
  }

  /** Background requests that were let in and not sent. */
  get waiting(): number {
    let sum = 0;
    for (const { waiting } of this.#queues) sum += waiting.length;
    return sum;
  }

  /** When the oldest one that waits was made, in microseconds. */
  get oldest(): number {
    return Math.min(
      ...this.#queues.map(({ waiting }) => waiting.first?.created ?? Infinity),
    );
  }

  /** Takes a request. */
  add(request: SimRequest): void {
    //= fs/fuse/dev.c fuse_request_queue_background(): the one that reaches the
    //= limit is taken, the next one waits.
    this.#count++;
    if (this.#count === this.max) this.#blocked = true;
    this.#queueOf(request).waiting.push(request);
    this.flush();
  }

  /** Notes that one has ended; returns whether a sleeper is to be woken. */
  ended(request: SimRequest): boolean {
    //= fs/fuse/dev.c fuse_request_end(): an end at the limit unblocks.
    if (this.#count === this.max) this.#blocked = false;
    this.#count--;
    this.#active--;
    this.#queueOf(request).active--;
    this.flush();
    return !this.#blocked;
  }

  /** Lets everything through: the connection has ended. */
  open(): void {
    this.#blocked = false;
    this.max = Infinity;
    this.flush();
  }

  /** Sends what the limit lets through. */
  flush(): void {
    for (const queue of this.#queues) {
      //= fs/fuse/dev_uring.c fuse_uring_flush_bg(): each queue may have one
      //= in flight whatever the others have.
      while (
        queue.waiting.length > 0 &&
        (this.#active < this.max || queue.active === 0)
      ) {
        this.#active++;
        queue.active++;
        this.#send(queue.waiting.shift()!);
      }
    }
  }

  #queueOf({ cpu }: SimRequest): BackgroundQueue {
    return this.#queues[cpu % this.#queues.length]!;
  }
}
