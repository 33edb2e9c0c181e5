import type { ProtocolVersion } from "../../src/protocol/protocol_version.ts";
import type { Exchange } from "../../src/protocol/exchange.ts";
import type { QueueEnd, RequestQueue } from "../../src/queue/request_queue.ts";
import type { Cores } from "../determinism/clock.ts";

/**
 * A queue whose thread needs a CPU for each request: one after another, so
 * that a request waits while its queue is busy or all CPUs are.
 */
export class TimedQueue implements RequestQueue {
  readonly index: number;
  readonly capacity: number;
  readonly #inner: RequestQueue;
  readonly #cores: Cores;
  readonly #costUs: (exchange: Exchange) => number;
  /** Taken from the kernel and not given out yet. */
  #held: Exchange | null = null;
  #isDue = false;
  #onDue: () => void = () => {};

  /**
   * Puts time into a queue.
   *
   * @param inner The queue.
   * @param cores The machine that its thread runs on.
   * @param costUs What a request takes of a CPU, in microseconds.
   */
  constructor(
    inner: RequestQueue,
    cores: Cores,
    costUs: (exchange: Exchange) => number,
  ) {
    this.#inner = inner;
    this.#cores = cores;
    this.#costUs = costUs;
    this.index = inner.index;
    this.capacity = inner.capacity;
  }

  /** The layout of messages. */
  get protocolVersion(): ProtocolVersion {
    return this.#inner.protocolVersion;
  }

  /** Sets the layout of messages. */
  set protocolVersion(protocolVersion: ProtocolVersion) {
    this.#inner.protocolVersion = protocolVersion;
  }

  /** How the queue ended; `null` while it lives. */
  get end(): QueueEnd | null {
    return this.#held === null ? this.#inner.end : null;
  }

  /** Takes the next request whose time has passed. */
  next(_mayBlock: boolean): Exchange | null {
    if (this.#held === null) this.#take();
    if (!this.#isDue) return null;
    const exchange = this.#held;
    this.#held = null;
    this.#isDue = false;
    return exchange;
  }

  /** Waits until `next()` may have something to give. */
  async ready(): Promise<void> {
    if (this.#isDue) return;
    if (this.#held === null) return await this.#inner.ready();
    await new Promise<void>((resolve) => this.#onDue = resolve);
  }

  /** Sends a reply. */
  reply(exchange: Exchange): boolean {
    return this.#inner.reply(exchange);
  }

  /** Lets go of the queue. */
  close(): void {
    this.#inner.close();
  }

  #take(): void {
    const exchange = this.#inner.next(false);
    if (exchange === null) return;
    this.#held = exchange;
    this.#cores.work(this.#costUs(exchange), () => {
      this.#isDue = true;
      this.#onDue();
    });
  }
}
