import { US_PER_MS } from "../base/timespec.ts";
import type { Exchange } from "../protocol/exchange.ts";
import {
  traceNotification,
  type TraceRecord,
  traceReply,
  traceRequest,
} from "../protocol/trace_record.ts";
import { ForwardingQueue } from "./forwarding_queue.ts";
import type { Notifier } from "./notifier.ts";
import type { RequestQueue } from "./request_queue.ts";

/**
 * Options of a {@linkcode TraceQueue} and a {@linkcode TraceNotifier}.
 *
 * @category Tracing
 */
export interface TraceOptions {
  /** The number of the queue in records; 0 if left out. */
  readonly index?: number;
  /** Whether records include the whole message; no if left out. */
  readonly wire?: boolean;
}

/**
 * A queue that records every request and reply that passes through it.
 *
 * @category Tracing
 */
export class TraceQueue extends ForwardingQueue {
  readonly #show: (record: TraceRecord) => void;
  readonly #index: number;
  readonly #wire: boolean;
  /** The records of requests that are outstanding. */
  readonly #requests: Map<Exchange, TraceRecord> = new Map();

  /**
   * Traces a queue.
   *
   * @param queue The queue.
   * @param show Receives a record of each message, in the order in which they
   * pass.
   */
  constructor(
    queue: RequestQueue,
    show: (record: TraceRecord) => void,
    options: TraceOptions = {},
  ) {
    super(queue);
    this.#show = show;
    this.#index = options.index ?? 0;
    this.#wire = options.wire ?? false;
  }

  /** Takes a request and records it. */
  override next(mayBlock: boolean): Exchange | null {
    const exchange = super.next(mayBlock);
    if (exchange !== null) {
      const { request } = exchange;
      const record = traceRequest(this.#index, request);
      this.#requests.set(exchange, record);
      this.#show(this.#wire ? withWire(record, request.copy()) : record);
    }
    return exchange;
  }

  /** Records a reply and sends it. */
  override reply(exchange: Exchange): boolean {
    const { reply } = exchange;
    const request = this.#requests.get(exchange);
    this.#requests.delete(exchange);
    if (request !== undefined && reply.length > 0) {
      const record = traceReply(request, reply, this.protocolVersion);
      this.#show(this.#wire ? withWire(record, reply.copy()) : record);
    }
    return super.reply(exchange);
  }
}

/**
 * A notifier that records every notification before it sends it.
 *
 * @category Tracing
 */
export class TraceNotifier implements Notifier {
  readonly #notifier: Notifier;
  readonly #show: (record: TraceRecord) => void;
  readonly #index: number;
  readonly #wire: boolean;

  /**
   * Traces a notifier.
   *
   * @param notifier Sends the notifications.
   * @param show Receives a record of each notification.
   */
  constructor(
    notifier: Notifier,
    show: (record: TraceRecord) => void,
    options: TraceOptions = {},
  ) {
    this.#notifier = notifier;
    this.#show = show;
    this.#index = options.index ?? 0;
    this.#wire = options.wire ?? false;
  }

  notify(message: Uint8Array<ArrayBuffer>): Promise<number> {
    const record = traceNotification(this.#index, message);
    this.#show(this.#wire ? withWire(record, message.slice()) : record);
    return this.#notifier.notify(message);
  }
}

/** A record with its whole message and the time. */
function withWire(record: TraceRecord, wire: Uint8Array): TraceRecord {
  // Threads start their clocks at different times, so 1970 is what they share.
  const ms = performance.timeOrigin + performance.now();
  return { ...record, at: Math.round(ms * US_PER_MS), wire };
}
