/**
 * What the kernel makes of a notification.
 *
 * @module
 */
import { accessors } from "../src/protocol/accessors.ts";
import { viewOf } from "../src/protocol/codec.ts";
import { ERRNO } from "../src/protocol/errno.ts";
import { FUSE_NOTIFY, FUSE_ROOT_ID } from "../src/protocol/flags.ts";

const POLL = accessors("fuse_notify_poll_wakeup_out");
const INVAL_INODE = accessors("fuse_notify_inval_inode_out");
const STORE = accessors("fuse_notify_store_out");

/**
 * Judges a notification where only the root is known and nothing is cached.
 *
 * @param code Its code, from the header.
 * @param body What follows the header.
 * @returns 0, or the positive error number that write(2) fails with.
 */
export function judgeNotification(code: number, body: Uint8Array): number {
  const view = viewOf(body);
  //= fs/fuse/dev.c fuse_notify(): each code has a struct of its own size.
  switch (code) {
    case FUSE_NOTIFY.POLL:
      return body.length === POLL.size ? 0 : ERRNO.EINVAL;
    case FUSE_NOTIFY.INVAL_INODE:
      if (body.length !== INVAL_INODE.size) return ERRNO.EINVAL;
      return known(INVAL_INODE.get.ino(view));
    case FUSE_NOTIFY.STORE:
      if (body.length < STORE.size) return ERRNO.EINVAL;
      if (body.length - STORE.size !== STORE.get.size(view)) {
        return ERRNO.EINVAL;
      }
      return known(STORE.get.nodeid(view));
    case FUSE_NOTIFY.INC_EPOCH:
    case FUSE_NOTIFY.RESEND:
      return body.length === 0 ? 0 : ERRNO.EINVAL;
    default:
      return ERRNO.EINVAL;
  }
}

function known(nodeid: bigint): number {
  return nodeid === FUSE_ROOT_ID ? 0 : ERRNO.ENOENT;
}
