import { Fifo } from "./fifo.ts";
import type { SimRequest } from "./sim_request.ts";

/** What the kernel allows where the server does not say: fs/fuse/fuse_i.h. */
const DEFAULT_MAX_BACKGROUND = 12;

/** Requests that wait in the background, of one queue where each has its own. */
interface Lane {
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
  readonly #lanes: readonly Lane[];
  readonly #send: (request: SimRequest) => void;

  /**
   * Makes a limit.
   *
   * @param send Takes what is let through.
   * @param lanes Queues of an io_uring that each have a share; 0 for none.
   */
  constructor(send: (request: SimRequest) => void, lanes: number = 0) {
    this.#send = send;
    this.#lanes = Array.from(
      { length: Math.max(1, lanes) },
      () => ({ waiting: new Fifo(), active: lanes === 0 ? 1 : 0 }),
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
    for (const { waiting } of this.#lanes) sum += waiting.length;
    return sum;
  }

  /** When the oldest one that waits was made, in microseconds. */
  get oldest(): number {
    return Math.min(
      ...this.#lanes.map(({ waiting }) => waiting.first?.created ?? Infinity),
    );
  }

  /** Takes a request. */
  add(request: SimRequest): void {
    //= fs/fuse/dev.c fuse_request_queue_background(): the one that reaches the
    //= limit is taken, the next one waits.
    this.#count++;
    if (this.#count === this.max) this.#blocked = true;
    this.#laneOf(request).waiting.push(request);
    this.flush();
  }

  /** Notes that one has ended; returns whether a sleeper is to be woken. */
  ended(request: SimRequest): boolean {
    //= fs/fuse/dev.c fuse_request_end(): an end at the limit unblocks.
    if (this.#count === this.max) this.#blocked = false;
    this.#count--;
    this.#active--;
    this.#laneOf(request).active--;
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
    for (const lane of this.#lanes) {
      //= fs/fuse/dev_uring.c fuse_uring_flush_bg(): each queue may have one
      //= in flight whatever the others have.
      while (
        lane.waiting.length > 0 &&
        (this.#active < this.max || lane.active === 0)
      ) {
        this.#active++;
        lane.active++;
        this.#send(lane.waiting.shift()!);
      }
    }
  }

  #laneOf({ cpu }: SimRequest): Lane {
    return this.#lanes[cpu % this.#lanes.length]!;
  }
}
