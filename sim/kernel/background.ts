import { Fifo } from "./fifo.ts";
import type { SimRequest } from "./sim_request.ts";

/** The kernel's limit if the server sets none: fs/fuse/fuse_i.h. */
const DEFAULT_MAX_BACKGROUND = 12;

/** Background requests that wait: of the connection, or of one ring queue. */
interface BackgroundQueue {
  readonly waiting: Fifo<SimRequest>;
  active: number;
}

/** The limit on background requests, for which no process sleeps. */
export class BackgroundLimit {
  /** The largest number of background requests in flight. */
  max: number = DEFAULT_MAX_BACKGROUND;
  #count = 0;
  #active = 0;
  #blocked = false;
  readonly #queues: readonly BackgroundQueue[];
  readonly #send: (request: SimRequest) => void;

  /**
   * Makes a limit.
   *
   * @param send Takes each request that the limit admits.
   * @param ringQueues Ring queues, each of which has its own waiting list; 0
   * with read(2).
   */
  constructor(send: (request: SimRequest) => void, ringQueues: number = 0) {
    this.#send = send;
    this.#queues = Array.from(
      { length: Math.max(1, ringQueues) },
      () => ({ waiting: new Fifo(), active: ringQueues === 0 ? 1 : 0 }),
    );
  }

  /** Whether the sender of another background request has to sleep. */
  get blocked(): boolean {
    return this.#blocked;
  }

  /** Background requests that were sent and have not ended. */
  get active(): number {
    return this.#active;
  }

  /** Background requests that were accepted and not sent. */
  get waiting(): number {
    let sum = 0;
    for (const { waiting } of this.#queues) sum += waiting.length;
    return sum;
  }

  /** When the oldest waiting request was made, in microseconds. */
  get oldest(): number {
    return Math.min(
      ...this.#queues.map(({ waiting }) => waiting.first?.created ?? Infinity),
    );
  }

  /** Accepts a request. */
  add(request: SimRequest): void {
    //= fs/fuse/dev.c fuse_request_queue_background(): the request that reaches
    //= the limit is accepted, the next one waits.
    this.#count++;
    if (this.#count === this.max) this.#blocked = true;
    this.#queueOf(request).waiting.push(request);
    this.flush();
  }

  /** A background request has ended; returns whether to wake a sleeper. */
  ended(request: SimRequest): boolean {
    //= fs/fuse/dev.c fuse_request_end(): the end of a request at the limit
    //= unblocks.
    if (this.#count === this.max) this.#blocked = false;
    this.#count--;
    this.#active--;
    this.#queueOf(request).active--;
    this.flush();
    return !this.#blocked;
  }

  /** Removes the limit: the connection has ended. */
  open(): void {
    this.#blocked = false;
    this.max = Infinity;
    this.flush();
  }

  /** Sends the requests that the limit admits. */
  flush(): void {
    for (const queue of this.#queues) {
      //= fs/fuse/dev_uring.c fuse_uring_flush_bg(): each ring queue may have
      //= one request in flight regardless of the others.
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
