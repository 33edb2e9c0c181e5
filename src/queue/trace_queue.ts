import type { ProtocolVersion } from "../protocol/protocol_version.ts";
import type { Exchange } from "../protocol/exchange.ts";
import {
  traceNotification,
  type TraceRecord,
  traceReply,
  traceRequest,
} from "../protocol/trace_record.ts";
import type { Notifier } from "./notifier.ts";
import type { QueueEnd, RequestQueue } from "./request_queue.ts";

/** Options of a {@linkcode TraceQueue}. */
export interface TraceQueueOptions {
  /** Whether records carry the whole message as well; no if left out. */
  readonly wire?: boolean;
}

/** A queue that shows every message that passes another one. */
export class TraceQueue implements RequestQueue {
  readonly #queue: RequestQueue;
  readonly #show: (record: TraceRecord) => void;
  readonly #wire: boolean;
  readonly #asked: Map<Exchange, TraceRecord> = new Map();

  /**
   * Puts a trace around a queue.
   *
   * @param queue The queue to look at.
   * @param show Takes each message, in the order in which they pass.
   */
  constructor(
    queue: RequestQueue,
    show: (record: TraceRecord) => void,
    options: TraceQueueOptions = {},
  ) {
    this.#queue = queue;
    this.#show = show;
    this.#wire = options.wire ?? false;
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

  get protocolVersion(): ProtocolVersion {
    return this.#queue.protocolVersion;
  }

  set protocolVersion(protocolVersion: ProtocolVersion) {
    this.#queue.protocolVersion = protocolVersion;
  }

  get carried(): number | undefined {
    return this.#queue.carried;
  }

  next(mayBlock: boolean): Exchange | null {
    const exchange = this.#queue.next(mayBlock);
    if (exchange !== null) {
      const { request } = exchange;
      const record = traceRequest(this.index, request);
      this.#asked.set(exchange, record);
      this.#show(this.#wire ? { ...record, wire: request.copy() } : record);
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
      const record = traceReply(asked, exchange.reply, this.protocolVersion);
      const { reply } = exchange;
      this.#show(this.#wire ? { ...record, wire: reply.copy() } : record);
    }
    return this.#queue.reply(exchange);
  }

  settleCarried(): void {
    this.#queue.settleCarried?.();
  }

  close(): void {
    this.#queue.close();
  }
}

/** A notifier that shows every notification before it sends it. */
export class TraceNotifier implements Notifier {
  readonly #notifier: Notifier;
  readonly #index: number;
  readonly #show: (record: TraceRecord) => void;
  readonly #wire: boolean;

  /**
   * Traces a notifier.
   *
   * @param notifier Sends the notifications.
   * @param index The number of the queue that records name.
   * @param show Takes each notification.
   */
  constructor(
    notifier: Notifier,
    index: number,
    show: (record: TraceRecord) => void,
    options: TraceQueueOptions = {},
  ) {
    this.#notifier = notifier;
    this.#index = index;
    this.#show = show;
    this.#wire = options.wire ?? false;
  }

  notify(message: Uint8Array<ArrayBuffer>): number {
    const record = traceNotification(this.#index, message);
    this.#show(this.#wire ? { ...record, wire: message.slice() } : record);
    return this.#notifier.notify(message);
  }
}
