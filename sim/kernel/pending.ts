import { Fifo } from "./fifo.ts";
import type { SimRequest } from "./sim_request.ts";

/**
 * Requests that no queue has taken: `fiq->pending`. A policy may bind a request
 * to one queue; any queue may take the others.
 */
export class PendingList {
  readonly #shared = new Fifo<SimRequest>();
  readonly #bound: readonly Fifo<SimRequest>[];

  /** Makes an empty list for a number of queues. */
  constructor(queues: number) {
    this.#bound = Array.from({ length: queues }, () => new Fifo<SimRequest>());
  }

  /** The number of requests. */
  get length(): number {
    let length = this.#shared.length;
    for (const bound of this.#bound) length += bound.length;
    return length;
  }

  /**
   * Appends a request.
   *
   * @param request The request.
   * @param queue The queue that has to take it; -1 for any.
   */
  push(request: SimRequest, queue: number): void {
    (this.#bound[queue] ?? this.#shared).push(request);
  }

  /** Inserts a request before all others that its queue would take. */
  unshift(request: SimRequest, queue: number): void {
    (this.#bound[queue] ?? this.#shared).unshift(request);
  }

  /** Takes the next request for a queue. */
  take(queue: number): SimRequest | undefined {
    return this.#bound[queue]!.shift() ?? this.#shared.shift();
  }

  /** Removes a request; returns whether it was there. */
  remove(request: SimRequest): boolean {
    return this.#shared.remove(request) ||
      this.#bound.some((bound) => bound.remove(request));
  }

  /** When the oldest request was made, in microseconds. */
  get oldest(): number {
    const made = [this.#shared, ...this.#bound].map(({ first }) =>
      first?.created ?? Infinity
    );
    return Math.min(...made);
  }

  /** Whether there is a request that a queue would take. */
  has(queue: number): boolean {
    return this.#bound[queue]!.length > 0 || this.#shared.length > 0;
  }

  /** Removes all requests that are bound to a queue. */
  unbind(queue: number): SimRequest[] {
    return this.#bound[queue]!.takeAll();
  }

  /** Removes all requests. */
  takeAll(): SimRequest[] {
    return [
      ...this.#bound.flatMap((bound) => bound.takeAll()),
      ...this.#shared.takeAll(),
    ];
  }
}
