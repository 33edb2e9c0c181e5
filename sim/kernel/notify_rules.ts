/**
 * What the kernel makes of a notification.
 *
 * @module
 */
import { decodeStruct } from "../../src/protocol/codec.ts";
import { ERRNO } from "../../src/base/errno.ts";
import { FUSE_NAME_MAX, FUSE_ROOT_ID } from "../../src/protocol/flags.ts";
import { sizeOf } from "../../src/protocol/layout.ts";
import {
  notificationName,
  type NotificationRow,
  NOTIFICATIONS,
} from "../../src/protocol/notifications.ts";

/** Fields of the structs behind the header, as far as they are looked at. */
type Fields = Readonly<Record<string, number | bigint>>;

/** Bytes that follow a struct; a negative errno for more than there may be. */
const TAILS = {
  name: ({ namelen }: Fields) => {
    const size = Number(namelen);
    return size > FUSE_NAME_MAX ? -ERRNO.ENAMETOOLONG : size + 1;
  },
  data: ({ size }: Fields) => Number(size),
  nodeids: ({ count }: Fields) => 8 * Number(count),
};

/**
 * Judges a notification where only the root is known, as a plain file, and
 * nothing is cached.
 *
 * `decodeNotification()` is stricter: it wants the name's NUL, which Linux puts
 * there itself, and nothing behind RESEND and INC_EPOCH.
 *
 * @param code Its code, from the header.
 * @param body What follows the header.
 * @returns 0, or the positive error number that write(2) fails with.
 */
export function judgeNotification(code: number, body: Uint8Array): number {
  const notification = notificationName(code);
  if (notification === undefined) return ERRNO.EINVAL;
  const { out, tail }: NotificationRow = NOTIFICATIONS[notification];
  //= fs/fuse/dev.c fuse_notify_resend(), fuse_notify_inc_epoch(): nobody looks
  //= at what follows the header.
  if (out === undefined) return 0;
  //= fs/fuse/dev.c fuse_notify_*(): first the struct has to be there, then the
  //= name must not be too long, then nothing may be missing or left over.
  const size = sizeOf(out);
  if (body.length < size) return ERRNO.EINVAL;
  const fields = decodeStruct(out, body) as Fields;
  const rest = tail === undefined ? 0 : TAILS[tail](fields);
  if (rest < 0) return -rest;
  if (body.length !== size + rest) return ERRNO.EINVAL;
  switch (notification) {
    case "INVAL_INODE":
      return known(fields.ino);
    case "STORE":
    case "RETRIEVE":
      return known(fields.nodeid);
    case "INVAL_ENTRY":
    case "DELETE":
      //= fs/fuse/dir.c fuse_reverse_inval_entry(): ENOENT without a parent,
      //= ENOTDIR if that is a file.
      return known(fields.parent) || ERRNO.ENOTDIR;
    default:
      //= fs/fuse/file.c fuse_notify_poll_wakeup() and fs/fuse/inode.c
      //= fuse_try_prune_one_inode(): what is unknown is passed over.
      return 0;
  }
}

function known(nodeid: number | bigint | undefined): number {
  return nodeid === FUSE_ROOT_ID ? 0 : ERRNO.ENOENT;
}
