/**
 * The checks that the kernel makes when an io_uring entry is committed, in the
 * kernel's order.
 *
 * @module
 */
import { accessors } from "../../src/protocol/accessors.ts";
import { ERRNO } from "../../src/base/errno.ts";
import { FUSE_INT_REQ_BIT } from "../../src/protocol/flags.ts";
import { judgeBody, type ReplyVerdict } from "./reply_rules.ts";
import type { SimRequest } from "./sim_request.ts";

const OUT_HEADER = accessors("fuse_out_header");
const ERROR_MAX = 512;

/**
 * Judges a commit as FUSE_IO_URING_CMD_COMMIT_AND_FETCH does.
 *
 * @param header The fuse_out_header in the entry.
 * @param length Bytes of header and payload according to the entry.
 * @param held The request in the entry.
 * @param processing The requests that the queue has taken.
 */
export function judgeCommit(
  header: DataView,
  length: number,
  held: SimRequest | undefined,
  processing: ReadonlyMap<bigint, SimRequest>,
): ReplyVerdict {
  //= fs/fuse/dev_uring.c fuse_uring_commit_fetch(): a commit_id that the
  //= queue does not have is ENOENT.
  if (held === undefined || processing.get(held.unique) !== held) {
    const message = "its entry holds no request";
    return { kind: "refused", errno: ERRNO.ENOENT, message };
  }
  const fail = (errno: number, message: string): ReplyVerdict => {
    return { kind: "failed", errno, end: errno, message, request: held };
  };
  //= fs/fuse/dev_uring.c fuse_uring_out_header_has_err(): notifications are not
  //= sent through a ring queue.
  const unique = OUT_HEADER.get.unique(header);
  if (unique === 0n) return fail(ERRNO.EINVAL, "its id is 0");
  //= fs/fuse/dev_uring.c fuse_uring_out_header_has_err(): errors up to 511.
  const error = OUT_HEADER.get.error(header);
  if (error <= -ERROR_MAX || error > 0) {
    return fail(ERRNO.EINVAL, `its error is ${error}`);
  }
  if (error !== 0) return { kind: "answer", errno: -error, request: held };
  //= fs/fuse/dev_uring.c fuse_uring_out_header_has_err(): another request's
  //= id is ENOENT, that of an interrupt EINVAL.
  if ((unique & ~FUSE_INT_REQ_BIT) !== held.unique) {
    return fail(ERRNO.ENOENT, `its id is ${unique}, not ${held.unique}`);
  }
  if ((unique & FUSE_INT_REQ_BIT) !== 0n) {
    return fail(ERRNO.EINVAL, "it answers INTERRUPT");
  }
  //= fs/fuse/dev_uring.c fuse_uring_copy_from_ring(): the payload is checked
  //= like the body of a reply.
  const fault = judgeBody(held, length - OUT_HEADER.size, false);
  return fault === null
    ? { kind: "answer", errno: 0, request: held }
    : fail(ERRNO.EINVAL, fault);
}
