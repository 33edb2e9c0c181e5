import { errnoOf } from "../base/errno_of.ts";
import type { Reply } from "../protocol/reply.ts";

/**
 * Answers with the error of a backend. A backend can be any module: a value
 * that is no error number becomes EIO, because the kernel would refuse it and
 * leave the client waiting.
 *
 * @param result A negated errno.
 */
export function replyError(reply: Reply, result: number): void {
  reply.error(errnoOf({ errno: -result }));
}

/**
 * Answers with success or with the error of a backend.
 *
 * @param result 0 or more, or a negated errno.
 */
export function replyResult(reply: Reply, result: number): void {
  if (result >= 0) reply.ok();
  else replyError(reply, result);
}
