/**
 * The kernel's checks of notifications.
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

/** The fields of the structs after the header that are checked. */
type Fields = Readonly<Record<string, number | bigint>>;

/**
 * The size of the bytes after a struct; a negative errno if it is too large.
 */
const TAILS = {
  name: ({ namelen }: Fields) => {
    const size = Number(namelen);
    return size > FUSE_NAME_MAX ? -ERRNO.ENAMETOOLONG : size + 1;
  },
  data: ({ size }: Fields) => Number(size),
  nodeids: ({ count }: Fields) => 8 * Number(count),
};

/**
 * Judges a notification to a mount that has only a root, which is a plain file,
 * and no cache.
 *
 * `decodeNotification()` is stricter: it requires the NUL after a name, which
 * Linux adds itself, and nothing after RESEND and INC_EPOCH.
 *
 * @param code The code from the header.
 * @param body The bytes after the header.
 * @returns 0, or the positive error number of write(2).
 */
export function judgeNotification(code: number, body: Uint8Array): number {
  const notification = notificationName(code);
  if (notification === undefined) return ERRNO.EINVAL;
  const { out, tail }: NotificationRow = NOTIFICATIONS[notification];
  //= fs/fuse/dev.c fuse_notify_resend(), fuse_notify_inc_epoch(): bytes after
  //= the header are ignored.
  if (out === undefined) return 0;
  //= fs/fuse/dev.c fuse_notify_*(): first the struct must be complete, then the
  //= name must not be too long, then the length must be exact.
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
      //= fuse_try_prune_one_inode(): unknown ids are ignored.
      return 0;
  }
}

function known(nodeid: number | bigint | undefined): number {
  return nodeid === FUSE_ROOT_ID ? 0 : ERRNO.ENOENT;
}
