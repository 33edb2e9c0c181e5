import { errnoName } from "../../src/base/errno.ts";

/**
 * The ways in which a server can break the protocol.
 *
 * @category Checking
 */
export type ViolationKind =
  /** The kernel refused a reply or a notification. */
  | "refused reply"
  /** A request that needs a reply was given back without one. */
  | "withheld reply"
  /**
   * The reply to INIT contains values that were not offered, or that cannot be
   * served.
   */
  | "bad INIT"
  /** The buffers of a queue are too small for the negotiated limits. */
  | "small buffer";

/**
 * One breach of the protocol.
 *
 * @category Checking
 */
export interface Violation {
  /** The kind of breach. */
  readonly kind: ViolationKind;
  /** The queue that it happened on. */
  readonly queue: number;
  /** The id in the reply, or of the request; 0 if there is none. */
  readonly unique: bigint;
  /** The positive error number of write(2), 0 if it succeeded. */
  readonly errno: number;
  /** What happened, in one sentence. */
  readonly message: string;
}

/** The breaches of the protocol so far. */
export class ViolationLog {
  /** All breaches, in order. */
  readonly list: Violation[] = [];

  /**
   * Records a breach.
   *
   * @param kind The kind of breach.
   * @param queue The queue that it happened on.
   * @param unique The id in the reply, or of the request.
   * @param errno The error number of write(2), 0 if it succeeded.
   * @param why What is wrong.
   */
  add(
    kind: ViolationKind,
    queue: number,
    unique: bigint,
    errno: number,
    why: string,
  ): void {
    const outcome = errno === 0 ? "" : ` (${errnoName(errno)})`;
    const message = `Queue ${queue}: ${kind} for ${unique}${outcome}: ${why}`;
    this.list.push({ kind, queue, unique, errno, message });
  }
}
