/**
 * A request between its handler and its reply.
 *
 * @module
 */
import type { Receiver } from "../event/completion.ts";
import type { Exchange } from "../protocol/exchange.ts";
import type { ReplyError, ReplyWatcher } from "../protocol/reply_error.ts";
import { OwnExchange } from "./own_exchange.ts";

/** The serve loop, as a request sees it. */
export interface AnswerTaker {
  /** Replies to a request whose answer has come. */
  answered(pending: PendingReply, error: unknown, failed: boolean): void;
  /** Tells of a defect during a request. */
  report(error: unknown, opcode: number): void;
}

/** A request that is not answered yet. */
export class PendingReply implements Receiver<unknown>, ReplyWatcher {
  /** Its opcode. */
  opcode = 0;
  /** When it was taken. */
  start = 0;
  /** What its handler works on, in memory of its own; `null` if in place. */
  own: OwnExchange | null = null;
  readonly #loop: AnswerTaker;
  /** The queue's exchange; `null` once the request is answered. */
  #exchange: Exchange | null = null;

  /** Makes one for a loop. */
  constructor(loop: AnswerTaker) {
    this.#loop = loop;
  }

  /** Binds it to a request. */
  begin(exchange: Exchange, opcode: number, start: number): this {
    this.#exchange = exchange;
    this.opcode = opcode;
    this.start = start;
    return this;
  }

  /**
   * Gives the request memory of its own, which no other request ever has: what a
   * handler does to it after the answer hurts no one.
   */
  detach(exchange: Exchange): OwnExchange {
    const own = new OwnExchange(exchange.request);
    own.reply.watch(this);
    this.own = own;
    return own;
  }

  /** Ends it; returns the queue's exchange. */
  end(): Exchange {
    const exchange = this.#exchange!;
    this.#exchange = null;
    return exchange;
  }

  complete(): void {
    if (this.#exchange !== null) this.#loop.answered(this, undefined, false);
  }

  fail(error: unknown): void {
    if (this.#exchange !== null) this.#loop.answered(this, error, true);
  }

  late(error: ReplyError): void {
    this.#loop.report(error, this.opcode);
  }

  uncaught(error: ReplyError): void {
    this.fail(error);
  }
}
