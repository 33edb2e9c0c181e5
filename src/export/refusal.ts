import { errnoOf } from "../base/errno.ts";
import type { Reply } from "../protocol/reply.ts";

/**
 * Answers with what a backend refused. A backend may be anybody's module: what
 * is no error number is EIO, since the kernel takes no others and would leave
 * the client waiting.
 *
 * @param result A negated errno.
 */
export function replyRefusal(reply: Reply, result: number): void {
  reply.error(errnoOf({ errno: -result }));
}

/**
 * Answers with success, or with what a backend refused.
 *
 * @param result 0 or more, or a negated errno.
 */
export function replyResult(reply: Reply, result: number): void {
  if (result >= 0) reply.ok();
  else replyRefusal(reply, result);
}
