/**
 * Who may do what: the mount's rules and the file's mode, as the kernel checks
 * them with `default_permissions`.
 *
 * @module
 */
import { ERRNO } from "../../src/base/errno.ts";
import { STATX } from "../../src/base/file_flags.ts";
import { S_IF } from "../../src/base/file_flags.ts";
import { type CallContext, fetchAttributes } from "./getattr.ts";
import { SimError } from "../kernel/call.ts";

/** What somebody may want to do, as access(2) counts it. */
export const MAY = { EXEC: 1, WRITE: 2, READ: 4 } as const;

const ANY_EXEC = 0o111;

/** Refuses whoever may not use the mount at all. */
export function requireAccess(
  context: CallContext,
  call: string,
): void {
  if (!hasAccess(context)) throw new SimError(call, ERRNO.EACCES);
}

/** Whether somebody may use the mount at all. */
export function hasAccess({ allowOther, credentials }: CallContext): boolean {
  //= fs/fuse/dir.c fuse_allow_current_process(): without allow_other, whoever
  //= mounted it: root.
  return allowOther || credentials.uid === 0;
}

/** Refuses what the mode forbids: `inode_permission()`. */
export async function requirePermission(
  context: CallContext,
  call: string,
  wanted: number,
): Promise<void> {
  //= fs/namei.c sb_permission(): a read-only mount is asked nothing.
  if ((wanted & MAY.WRITE) !== 0 && context.readOnly) {
    throw new SimError(call, ERRNO.EROFS);
  }
  requireAccess(context, call);
  //= fs/fuse/dir.c fuse_permission(): asks for the mode if it is in doubt, and
  //= before it refuses.
  const mask = STATX.MODE | STATX.UID | STATX.GID;
  const fresh = !context.inode.isValid(mask);
  if (fresh) await fetchAttributes(context, call);
  if (grants(context, wanted)) return;
  if (!fresh) await fetchAttributes(context, call);
  if (!grants(context, wanted)) throw new SimError(call, ERRNO.EACCES);
}

/** Whether somebody counts as the file's owner. */
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
  //= fs/namei.c generic_permission(): root needs only one x of the three, and
  //= none for a directory.
  if (credentials.uid === 0 && (mode & S_IF.MT) === S_IF.DIR) return true;
  if (credentials.uid === 0) {
    return (wanted & MAY.EXEC) === 0 || (mode & ANY_EXEC) !== 0;
  }
  let bits = mode;
  if (credentials.uid === uid) bits >>= 6;
  else if (credentials.gid === gid) bits >>= 3;
  return (wanted & ~bits & 7) === 0;
}
