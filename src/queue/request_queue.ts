/**
 * The one interface between a kernel, real or simulated, and the loop that
 * serves its requests.
 *
 * @module
 */
import type { ProtocolVersion } from "../protocol/protocol_version.ts";
import type { Exchange } from "../protocol/exchange.ts";

/**
 * The reason why a queue ended.
 *
 * @category Queues
 */
export type QueueEndReason =
  /** The file system was unmounted, or the simulated kernel ended. */
  | "unmounted"
  /** The connection was aborted. */
  | "aborted"
  /** This side closed the queue. */
  | "closed"
  /** The other side broke the protocol, or reading failed. */
  | "failed";

/**
 * How a queue ended.
 *
 * @category Queues
 */
export interface QueueEnd {
  /** The reason. */
  readonly reason: QueueEndReason;
  /** What happened in one sentence, for reports. */
  readonly message: string;
}

/**
 * A source of requests that takes their replies.
 *
 * A queue belongs to one thread and owns all memory: the requests that `next()`
 * returns and the replies to them lie in its buffers. Several requests may be
 * outstanding at once; replies may come in any order. A queue that has no room
 * for another request is full.
 *
 * @category Queues
 */
export interface RequestQueue {
  /** The layout of messages: that of INIT until the handshake sets another. */
  protocolVersion: ProtocolVersion;
  /** How the queue ended; `null` while it is open. */
  readonly end: QueueEnd | null;
  /**
   * Takes the next request, validated.
   *
   * The queue itself answers a request that breaks the protocol with its errno
   * and does not return it.
   *
   * It never runs code of a handler or backend. If operations of the event
   * source that it sleeps in complete, it returns, and the caller settles them.
   *
   * @param mayBlock Whether to block the thread until there is a request. Only
   * for a thread that has nothing else to do: timers and promises do not run
   * meanwhile.
   * @returns `null` if nothing is pending, the queue is full, or it has ended;
   * or if operations have completed. A call that may block can also return
   * `null` after a while, so that the caller can check whether to stop.
   */
  next(mayBlock: boolean): Exchange | null;
  /**
   * Waits without blocking the thread until `next()` may return a request, an
   * operation has completed or the queue has ended, at most for a while. If the
   * queue is full, waits until a reply makes room. Never rejects.
   */
  ready(): Promise<void>;
  /**
   * Sends a filled reply and takes the exchange's memory back; a reply that
   * says `none()`, or that is not filled, sends nothing. The reply is sent no
   * later than the following `next()`, `ready()` or `close()`, so that a queue
   * may send it together with the next fetch; at once while a `ready()` is
   * waiting, or if its data lies in the queue's pipe (`Reply.isInPipe`), which
   * the next reply may need.
   *
   * @returns Whether the kernel accepted it: `false` if the request's caller
   * was killed meanwhile, or the connection has ended.
   * @throws {ReplyError} If the kernel refused the reply as wrong, and says so:
   * a kernel that is reached by io_uring does not. The request's caller has
   * received EIO.
   */
  reply(exchange: Exchange): boolean;
  /** Closes the queue; idempotent. Outstanding requests fail. */
  close(): void;
}
