/**
 * What a serve loop gives requests to.
 *
 * @module
 */
import type { Reply } from "../protocol/reply.ts";
import type { Request } from "../protocol/request.ts";

/**
 * Answers requests.
 *
 * @category File systems
 */
export interface RequestHandler {
  /**
   * Whether the handler's own timers and promises must run while no request is
   * outstanding: the thread then never sleeps in the queue. No if left out.
   */
  readonly background?: boolean;
  /**
   * Whether the handler works in the queue's own memory, which the next request
   * reuses. That saves a copy, but nothing of a request and its reply may be
   * touched once it is answered. If left out, each request and its reply have
   * memory of their own, which costs 1 to 5 us. For 128 KiB, a READ that is
   * answered before `handle()` returns costs about 6 us more than in place, and
   * any other request about 30 us, mostly for memory that the garbage collector
   * has to find.
   */
  readonly inPlace?: boolean;
  /**
   * Answers one request: fills the reply and calls its `ok()` or `error()`,
   * before it returns or before the returned promise is fulfilled. If it throws
   * or the promise is rejected, the request is answered with the number that the
   * error stands for (`errnoOf()`): Deno's errors and Node's are fine. Otherwise
   * with EIO, and the error is reported.
   *
   * A mistake costs only the request itself: one that the handler leaves
   * unanswered, or answers as the kernel would refuse, fails with EIO and is
   * reported. A promise that is never fulfilled leaves the caller waiting.
   *
   * @param request Validated; valid until it is answered.
   * @param reply To be filled.
   * @returns Nothing once the reply is filled, else a promise whose value is
   * ignored; a `Completion` of `./queue` is one.
   */
  handle(request: Request, reply: Reply): void | PromiseLike<unknown>;
}
