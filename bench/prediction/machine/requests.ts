import type { Transport } from "./cells.ts";
import type { MachineCosts } from "./costs.ts";
import type { Scheduler, Task } from "./scheduler.ts";

/** A request on its way. */
export interface ModelRequest {
  /** The job that waits for it. */
  readonly job: RequestOwner;
  /** The CPU that sent it, and then the one that answered it. */
  cpu: number;
}

/** The sender of a request. */
export interface RequestOwner {
  readonly task: Task;
  /** Requests that were answered and not reaped. */
  readonly answered: ModelRequest[];
}

/**
 * The pending requests of a connection, and the Workers that sleep until there
 * are some. /dev/fuse has one list for all of them; FUSE over io_uring one for
 * each CPU, which one Worker serves.
 */
export class PendingRequests {
  readonly #lists: ModelRequest[][];
  readonly #sleepers: { readonly index: number; readonly task: Task }[] = [];
  readonly #queues: number;

  /** Makes empty lists. */
  constructor(transport: Transport, cpus: number, queues: number) {
    const lists = transport === "device" ? 1 : cpus;
    this.#lists = Array.from({ length: lists }, () => []);
    this.#queues = queues;
  }

  /**
   * Appends a request.
   *
   * @returns The task that the kernel wakes for it: of /dev/fuse the one that has
   * slept longest; `null` if none sleeps.
   */
  push(request: ModelRequest): Task | null {
    const list = request.cpu % this.#lists.length;
    this.#lists[list]!.push(request);
    const at = this.#sleepers.findIndex(({ index }) =>
      this.#lists.length === 1 || index === list % this.#queues
    );
    return at < 0 ? null : this.#sleepers.splice(at, 1)[0]!.task;
  }

  /** A Worker is about to sleep. */
  sleeps(index: number, task: Task): void {
    this.#sleepers.push({ index, task });
  }

  /** Whether there are requests for a Worker. */
  has(index: number): boolean {
    return this.#lists.some((list, at) =>
      list.length > 0 && this.#serves(index, at)
    );
  }

  /** Takes at most so many requests for a Worker. */
  take(index: number, most: number): ModelRequest[] {
    const taken: ModelRequest[] = [];
    for (const [at, list] of this.#lists.entries()) {
      if (!this.#serves(index, at)) continue;
      taken.push(...list.splice(0, most - taken.length));
    }
    return taken;
  }

  #serves(index: number, list: number): boolean {
    return this.#lists.length === 1 || list % this.#queues === index;
  }
}

/**
 * The locks of a connection, which every request takes: `fiq->lock`, and
 * `fc->bg_lock` if it is asynchronous. They move between the caches of CPUs.
 */
export class ConnectionLocks {
  #cpu = -1;

  /** Microseconds to fetch them, for a CPU that holds them from now on. */
  fetch(cpu: number, us: number): number {
    const moves = this.#cpu !== cpu;
    this.#cpu = cpu;
    return moves ? us : 0;
  }
}

/** What the tasks of a model share. */
export interface Connection {
  readonly transport: Transport;
  readonly scheduler: Scheduler;
  readonly pending: PendingRequests;
  readonly locks: ConnectionLocks;
  readonly costs: MachineCosts;
  /** Microseconds to fetch the locks from another CPU. */
  readonly lockUs: number;
}
