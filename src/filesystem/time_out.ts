import { Errno } from "../base/errno.ts";
import type { Reply } from "../protocol/reply.ts";
import type { RequestCaller } from "./request_caller.ts";

/**
 * An answer, unless it takes too long: then ETIMEDOUT, and the caller's signal
 * fires. What the answer does later has no effect but a report.
 *
 * @param ms After how many milliseconds.
 */
export async function inTime(
  answer: PromiseLike<unknown>,
  ms: number,
  caller: RequestCaller,
  reply: Reply,
): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reply.expire(`timeoutMs of ${ms} has failed the request with ETIMEDOUT`);
    late.reject(new Errno("ETIMEDOUT"));
    caller.interrupt();
  }, ms);
  try {
    await Promise.race([answer, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
