import { errnoName } from "../../src/base/errno.ts";

/** What a server can do wrong. */
export type ViolationKind =
  /** The kernel refused a reply or a notification. */
  | "refused reply"
  /** A request that needs a reply was given back without one. */
  | "withheld reply"
  /** The answer to INIT says what was not offered, or cannot be served. */
  | "bad INIT"
  /** The buffers of a queue are too small for the limits agreed on. */
  | "small buffer";

/** One thing that the server did wrong. */
export interface Violation {
  /** What it is. */
  readonly kind: ViolationKind;
  /** The queue it happened on. */
  readonly queue: number;
  /** The id in the reply, or of the request; 0 where there is none. */
  readonly unique: bigint;
  /** What write(2) failed with: a positive error number, 0 if it did not. */
  readonly errno: number;
  /** What happened, in one sentence. */
  readonly message: string;
}

/** What the server has done wrong so far. */
export class ViolationLog {
  /** All of it, in order. */
  readonly list: Violation[] = [];

  /**
   * Notes one.
   *
   * @param kind What it is.
   * @param queue The queue it happened on.
   * @param unique The id in the reply, or of the request.
   * @param errno What write(2) failed with, 0 if it did not.
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
