import { Fifo } from "./fifo.ts";
import type { SimRequest } from "./sim_request.ts";

/** What the kernel allows where the server does not say: fs/fuse/fuse_i.h. */
const DEFAULT_MAX_BACKGROUND = 12;

/** The limit on requests that nobody sleeps for. */
export class BackgroundLimit {
  /** Background requests in flight at most. */
  max: number = DEFAULT_MAX_BACKGROUND;
  #count = 0;
  #active = 0;
  #blocked = false;
  readonly #queue = new Fifo<SimRequest>();
  readonly #send: (request: SimRequest) => void;

  /** Makes a limit that passes on what it lets through. */
  constructor(send: (request: SimRequest) => void) {
    this.#send = send;
  }

  /** Whether whoever brings another one has to sleep. */
  get blocked(): boolean {
    return this.#blocked;
  }

  /** Background requests that were sent and have not ended. */
  get active(): number {
    return this.#active;
  }

  /** Takes a request. */
  add(request: SimRequest): void {
    //= fs/fuse/dev.c fuse_request_queue_background(): the one that reaches the
    //= limit is taken, the next one waits.
    this.#count++;
    if (this.#count === this.max) this.#blocked = true;
    this.#queue.push(request);
    this.flush();
  }

  /** Notes that one has ended; returns whether a sleeper is to be woken. */
  ended(): boolean {
    //= fs/fuse/dev.c fuse_request_end(): an end at the limit unblocks.
    if (this.#count === this.max) this.#blocked = false;
    this.#count--;
    this.#active--;
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
    while (this.#active < this.max && this.#queue.length > 0) {
      this.#active++;
      this.#send(this.#queue.shift()!);
    }
  }
}
