/**
 * Permission checks by mount options and file mode, as the kernel makes them
 * with `default_permissions`.
 *
 * @module
 */
import { ERRNO } from "../../src/base/errno.ts";
import { STATX } from "../../src/base/file_flags.ts";
import { S_IF } from "../../src/base/file_flags.ts";
import { type CallContext, fetchAttributes } from "./getattr.ts";
import { SimError } from "../kernel/call.ts";

/** Permissions, with the values of access(2). */
export const MAY = { EXEC: 1, WRITE: 2, READ: 4 } as const;

const ANY_EXEC = 0o111;

/** Fails with EACCES for users that may not use the mount. */
export function requireAccess(
  context: CallContext,
  call: string,
): void {
  if (!hasAccess(context)) throw new SimError(call, ERRNO.EACCES);
}

/** Whether a user may use the mount. */
export function hasAccess({ allowOther, credentials }: CallContext): boolean {
  //= fs/fuse/dir.c fuse_allow_current_process(): without allow_other, only the
  //= user who mounted it: root.
  return allowOther || credentials.uid === 0;
}

/** Fails with EACCES for what the mode forbids: `inode_permission()`. */
export async function requirePermission(
  context: CallContext,
  call: string,
  wanted: number,
): Promise<void> {
  //= fs/namei.c sb_permission(): EROFS without a request.
  if ((wanted & MAY.WRITE) !== 0 && context.readOnly) {
    throw new SimError(call, ERRNO.EROFS);
  }
  requireAccess(context, call);
  //= fs/fuse/dir.c fuse_permission(): fetches the mode if it is not valid, and
  //= before it refuses.
  const mask = STATX.MODE | STATX.UID | STATX.GID;
  const fresh = !context.inode.isValid(mask);
  if (fresh) await fetchAttributes(context, call);
  if (grants(context, wanted)) return;
  if (!fresh) await fetchAttributes(context, call);
  if (!grants(context, wanted)) throw new SimError(call, ERRNO.EACCES);
}

/** Whether the process counts as the file's owner. */
export function isOwner(
  { credentials, inode, defaultPermissions }: CallContext,
): boolean {
  //= fs/fuse/dir.c fuse_do_setattr(): without default_permissions the server
  //= decides (ATTR_FORCE).
  if (defaultPermissions === false) return true;
  return credentials.uid === 0 || credentials.uid === inode.stat.uid;
}

function grants({ credentials, inode }: CallContext, wanted: number): boolean {
  const { mode, uid, gid } = inode.stat;
  //= fs/namei.c generic_permission(): root needs one of the three x bits to
  //= execute a file, and none to search a directory.
  if (credentials.uid === 0 && (mode & S_IF.MT) === S_IF.DIR) return true;
  if (credentials.uid === 0) {
    return (wanted & MAY.EXEC) === 0 || (mode & ANY_EXEC) !== 0;
  }
  let bits = mode;
  if (credentials.uid === uid) bits >>= 6;
  else if (credentials.gid === gid) bits >>= 3;
  return (wanted & ~bits & 7) === 0;
}
