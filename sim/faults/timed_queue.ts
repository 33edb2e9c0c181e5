import type { Exchange } from "../../src/protocol/exchange.ts";
import { ForwardingQueue } from "../../src/queue/forwarding_queue.ts";
import type { QueueEnd, RequestQueue } from "../../src/queue/request_queue.ts";
import type { Cores } from "../determinism/clock.ts";

/**
 * A queue whose thread needs CPU time for each request. Requests are worked on
 * one after another, so one waits while its queue is busy or all cores are.
 */
export class TimedQueue extends ForwardingQueue {
  readonly #cores: Cores;
  readonly #costUs: (exchange: Exchange) => number;
  readonly #onWorked: ((unique: bigint, us: number) => void) | undefined;
  /** The request that was taken from the kernel and is being worked on. */
  #held: Exchange | null = null;
  /** Whether the work on the held request is done. */
  #isDue = false;
  #onDue: () => void = () => {};

  /**
   * Adds CPU time to a queue.
   *
   * @param inner The queue.
   * @param cores The cores that its thread runs on.
   * @param costUs The CPU time of a request, in microseconds.
   * @param onWorked Called with a request and its CPU time, when it is over.
   */
  constructor(
    inner: RequestQueue,
    cores: Cores,
    costUs: (exchange: Exchange) => number,
    onWorked?: (unique: bigint, us: number) => void,
  ) {
    super(inner);
    this.#cores = cores;
    this.#costUs = costUs;
    this.#onWorked = onWorked;
  }

  /** How the queue ended; `null` while it is open or holds a request. */
  override get end(): QueueEnd | null {
    return this.#held === null ? super.end : null;
  }

  /** Takes the next request whose work is done. */
  override next(_mayBlock: boolean): Exchange | null {
    if (this.#held === null) this.#take();
    if (!this.#isDue) return null;
    const exchange = this.#held;
    this.#held = null;
    this.#isDue = false;
    return exchange;
  }

  /** Waits until `next()` may return a request. */
  override async ready(): Promise<void> {
    if (this.#isDue) return;
    if (this.#held === null) return await super.ready();
    await new Promise<void>((resolve) => this.#onDue = resolve);
  }

  #take(): void {
    const exchange = super.next(false);
    if (exchange === null) return;
    this.#held = exchange;
    const us = this.#costUs(exchange);
    this.#cores.work(us, () => {
      this.#onWorked?.(exchange.request.unique, us);
      this.#isDue = true;
      this.#onDue();
    });
  }
}
