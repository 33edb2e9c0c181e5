/**
 * The one interface between the kernel, real or simulated, and whoever serves
 * its requests.
 *
 * @module
 */
import type { ProtocolVersion } from "../protocol/protocol_version.ts";
import type { Exchange } from "../protocol/exchange.ts";

/** Why a queue gives no more requests. */
export type QueueEndReason =
  /** The file system was unmounted, or the simulated kernel went away. */
  | "unmounted"
  /** The connection was aborted. */
  | "aborted"
  /** This side closed the queue. */
  | "closed"
  /** The other side broke the protocol, or reading failed. */
  | "failed";

/** How a queue ended. */
export interface QueueEnd {
  /** Why. */
  readonly reason: QueueEndReason;
  /** What happened in one sentence, for reports. */
  readonly message: string;
}

/**
 * A source of requests that takes their replies.
 *
 * A queue owns all memory: the requests that `next()` gives and the replies
 * that are filled lie in its buffers, and nobody else knows where. It belongs
 * to one thread. Several requests may be outstanding at once, `capacity` at
 * most; their replies may come in any order.
 */
export interface RequestQueue {
  /** The queue's number among those of its connection, from 0. */
  readonly index: number;
  /** Requests that may be outstanding at once. */
  readonly capacity: number;
  /** The layout of messages: that of INIT until the handshake sets another. */
  protocolVersion: ProtocolVersion;
  /** How the queue ended; `null` while it lives. */
  readonly end: QueueEnd | null;
  /**
   * Answers for later that this queue itself brings, such as file I/O on its
   * ring: `next(true)` may sleep although their requests are outstanding. A
   * queue that never brings any leaves this out.
   */
  readonly carried?: number | undefined;
  /**
   * Takes the next request, validated.
   *
   * A request that breaks the protocol is answered with its errno by the queue
   * itself and not given out.
   *
   * @param mayBlock Whether to block the thread until there is a request. Only
   * where nothing is outstanding but what is carried and the thread has nothing
   * else to do, since timers and promises stand still meanwhile.
   * @returns `null` if nothing is pending, `capacity` requests are outstanding,
   * or the queue has ended. One that blocks may give `null` after a while too,
   * so that the thread can see whether it is to stop.
   */
  next(mayBlock: boolean): Exchange | null;
  /**
   * Waits without blocking the thread until `next()` may have something to
   * give, or the queue has ended; or for a while. Never rejects.
   */
  ready(): Promise<void>;
  /**
   * Sends a filled reply and takes the exchange's memory back; nothing is sent
   * for one that says `none()`. Takes effect no later than the following
   * `next()`, `ready()` or `close()`, so that a queue may send it together
   * with the next fetch; at once while a `ready()` is still waiting.
   *
   * @returns Whether the kernel wanted it: `false` for a request whose caller
   * was killed meanwhile, or whose connection has gone.
   */
  reply(exchange: Exchange): boolean;
  /** Blocks the thread until no answer is carried any more. */
  settleCarried?(): void;
  /** Lets go of the queue; idempotent. Outstanding requests fail. */
  close(): void;
}
