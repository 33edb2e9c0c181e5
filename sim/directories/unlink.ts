/**
 * Removal of names: UNLINK, RMDIR. fs/namei.c, fs/fuse/dir.c.
 *
 * @module
 */
import { S_IS } from "../../src/base/file_flags.ts";
import { ERRNO } from "../../src/base/errno.ts";
import { SimError } from "../kernel/call.ts";
import { MAY } from "../vfs/permission.ts";
import { invalidateCtime, invalidateDirectory } from "./create.ts";
import { type Dentry, detach, EXPIRED, type Held, holding } from "./dcache.ts";
import { lookup } from "./lookup.ts";
import { type LastName, PathWalk } from "./path_walk.ts";
import type { TreeProcess } from "./tree_process.ts";

/** unlink(2). */
export async function unlink(
  process: TreeProcess,
  path: string,
): Promise<void> {
  await remove(process, "unlink", "UNLINK", path);
}

/** rmdir(2). */
export async function rmdir(
  process: TreeProcess,
  path: string,
): Promise<void> {
  await remove(process, "rmdir", "RMDIR", path);
}

async function remove(
  process: TreeProcess,
  call: string,
  opcode: "UNLINK" | "RMDIR",
  path: string,
): Promise<void> {
  await holding(async (held) => {
    const last = await new PathWalk(process, call, held).parent(path);
    const isDirectory = opcode === "RMDIR";
    if (last.kind !== "normal") {
      throw new SimError(call, notByName(last, isDirectory));
    }
    if (process.tree.readOnly) throw new SimError(call, ERRNO.EROFS);
    const { lock } = last.parent.node!.inode;
    held.add(last.parent);
    await lock.acquire(true);
    try {
      await removeLocked(process, call, opcode, held, last);
    } finally {
      lock.release();
    }
  });
}

/** The error for `.`, `..` and the root. */
function notByName({ kind }: LastName, isDirectory: boolean): number {
  //= fs/namei.c do_unlinkat() and do_rmdir().
  if (!isDirectory) return ERRNO.EISDIR;
  if (kind === "dotdot") return ERRNO.ENOTEMPTY;
  return kind === "dot" ? ERRNO.EINVAL : ERRNO.EBUSY;
}

async function removeLocked(
  process: TreeProcess,
  call: string,
  opcode: "UNLINK" | "RMDIR",
  held: Held,
  { parent, name, slash }: LastName,
): Promise<void> {
  const directory = parent.node!;
  const how = { call, held, locked: true };
  const dentry = await lookup(process, parent, name, how);
  const { node } = dentry;
  if (node === null) throw new SimError(call, ERRNO.ENOENT);
  if (slash && opcode === "UNLINK") {
    const errno = node.isDirectory ? ERRNO.EISDIR : ERRNO.ENOTDIR;
    throw new SimError(call, errno);
  }
  await requireMayDelete(process, dentry, call, opcode === "RMDIR");
  const { errno } = await process.ask(directory, opcode, { names: [name] });
  if (errno !== 0) {
    //= fs/fuse/dir.c fuse_unlink(): after these errors, the name may be gone.
    const isGone = errno === ERRNO.EINTR || errno === ERRNO.ENOENT;
    if (isGone) dentry.validUntil = EXPIRED;
    throw new SimError(call, errno);
  }
  invalidateDirectory(directory);
  if (opcode === "RMDIR") node.dead = true;
  unlinkDentry(dentry);
}

/** Fails unless a name may be removed: `may_delete()`. */
export async function requireMayDelete(
  process: TreeProcess,
  { node, parent }: Dentry,
  call: string,
  isDirectory: boolean,
): Promise<void> {
  const directory = parent.node!;
  await process.requirePermission(directory, call, MAY.WRITE | MAY.EXEC);
  //= fs/namei.c check_sticky(): in a sticky directory only the owner of the
  //= file or of the directory may remove it.
  const { uid } = process.credentials;
  const { stat } = directory.inode;
  const isTheirs = uid !== 0 && uid !== stat.uid &&
    uid !== node!.inode.stat.uid;
  if ((stat.mode & S_IS.VTX) !== 0 && isTheirs) {
    throw new SimError(call, ERRNO.EPERM);
  }
  if (isDirectory && !node!.isDirectory) {
    throw new SimError(call, ERRNO.ENOTDIR);
  }
  if (!isDirectory && node!.isDirectory) {
    throw new SimError(call, ERRNO.EISDIR);
  }
  if (directory.dead) throw new SimError(call, ERRNO.ENOENT);
}

/**
 * Drops the dentry of a removed name: `fuse_entry_unlinked()`, `d_delete()`.
 */
export function unlinkDentry(dentry: Dentry): void {
  invalidateCtime(dentry.node!);
  detach(dentry);
}
