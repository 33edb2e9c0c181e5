import type { Exchange } from "../protocol/exchange.ts";
import type { ProtocolVersion } from "../protocol/protocol_version.ts";
import type { QueueEnd, RequestQueue } from "./request_queue.ts";

/**
 * A queue that forwards every member to another one: the base of queues that
 * trace, delay or disturb what passes. Subclasses override what they change.
 *
 * @category Queues
 */
export class ForwardingQueue implements RequestQueue {
  /** The queue that everything is forwarded to. */
  protected readonly inner: RequestQueue;

  /** Wraps a queue. */
  constructor(inner: RequestQueue) {
    this.inner = inner;
  }

  /** The inner queue's protocol version. */
  get protocolVersion(): ProtocolVersion {
    return this.inner.protocolVersion;
  }

  /** Sets the inner queue's protocol version. */
  set protocolVersion(protocolVersion: ProtocolVersion) {
    this.inner.protocolVersion = protocolVersion;
  }

  /** How the inner queue ended. */
  get end(): QueueEnd | null {
    return this.inner.end;
  }

  /** Takes the next request of the inner queue. */
  next(mayBlock: boolean): Exchange | null {
    return this.inner.next(mayBlock);
  }

  /** Waits for the inner queue. */
  ready(): Promise<void> {
    return this.inner.ready();
  }

  /** Sends a reply through the inner queue. */
  reply(exchange: Exchange): boolean {
    return this.inner.reply(exchange);
  }

  /** Closes the inner queue. */
  close(): void {
    this.inner.close();
  }
}
