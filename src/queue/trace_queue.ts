import type { Dialect } from "../protocol/dialect.ts";
import type { Exchange } from "../protocol/exchange.ts";
import {
  type TraceRecord,
  traceReply,
  traceRequest,
} from "../protocol/trace.ts";
import type { QueueEnd, RequestQueue } from "./request_queue.ts";

/** A queue that shows every message that passes another one. */
export class TraceQueue implements RequestQueue {
  readonly #queue: RequestQueue;
  readonly #show: (record: TraceRecord) => void;
  readonly #asked: Map<Exchange, TraceRecord> = new Map();

  /**
   * Puts a trace around a queue.
   *
   * @param queue The queue to look at.
   * @param show Takes each message, in the order in which they pass.
   */
  constructor(queue: RequestQueue, show: (record: TraceRecord) => void) {
    this.#queue = queue;
    this.#show = show;
  }

  get index(): number {
    return this.#queue.index;
  }

  get capacity(): number {
    return this.#queue.capacity;
  }

  get end(): QueueEnd | null {
    return this.#queue.end;
  }

  get dialect(): Dialect {
    return this.#queue.dialect;
  }

  set dialect(dialect: Dialect) {
    this.#queue.dialect = dialect;
  }

  next(mayBlock: boolean): Exchange | null {
    const exchange = this.#queue.next(mayBlock);
    if (exchange !== null) {
      const record = traceRequest(this.index, exchange.request);
      this.#asked.set(exchange, record);
      this.#show(record);
    }
    return exchange;
  }

  ready(): Promise<void> {
    return this.#queue.ready();
  }

  reply(exchange: Exchange): boolean {
    const asked = this.#asked.get(exchange);
    this.#asked.delete(exchange);
    if (asked !== undefined && exchange.reply.length > 0) {
      this.#show(traceReply(asked, exchange.reply));
    }
    return this.#queue.reply(exchange);
  }

  notify(message: Uint8Array<ArrayBuffer>): number {
    return this.#queue.notify(message);
  }

  close(): void {
    this.#queue.close();
  }
}
