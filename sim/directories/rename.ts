/**
 * rename(2) and renameat2(2): RENAME, RENAME2. fs/namei.c, fs/fuse/dir.c.
 *
 * @module
 */
import { RENAME } from "../../src/base/file_flags.ts";
import { ERRNO } from "../../src/base/errno.ts";
import { SimError } from "../kernel/call.ts";
import { MAY } from "../vfs/permission.ts";
import {
  invalidateCtime,
  invalidateDirectory,
  requireMayCreate,
} from "./create.ts";
import {
  type Dentry,
  detach,
  exchange,
  EXPIRED,
  type Held,
  holding,
  move,
} from "./dcache.ts";
import { lookup } from "./lookup.ts";
import { type LastName, PathWalk } from "./path_walk.ts";
import type { TreeProcess } from "./tree_process.ts";
import { requireMayDelete, unlinkDentry } from "./unlink.ts";

/** The source and the target of a rename. */
interface Renaming {
  readonly from: LastName;
  readonly to: LastName;
  readonly flags: number;
  readonly held: Held;
}

const CALL = "rename";

/** rename(2) and renameat2(2). */
export async function rename(
  process: TreeProcess,
  from: string,
  to: string,
  flags: number,
): Promise<void> {
  const both = RENAME.NOREPLACE | RENAME.EXCHANGE;
  if ((flags & ~7) !== 0 || (flags & both) === both) throw error("EINVAL");
  await holding(async (held) => {
    const walk = () => new PathWalk(process, CALL, held);
    const source = await walk().parent(from);
    held.add(source.parent);
    const target = await walk().parent(to);
    held.add(target.parent);
    //= fs/namei.c do_renameat2(): EBUSY for `.`, `..` and the root.
    if (source.kind !== "normal") throw error("EBUSY");
    if (target.kind !== "normal") {
      const isThere = (flags & RENAME.NOREPLACE) !== 0;
      throw error(isThere ? "EEXIST" : "EBUSY");
    }
    if (process.tree.readOnly) throw error("EROFS");
    const renaming = { from: source, to: target, flags, held };
    const unlock = await lockBoth(process, source.parent, target.parent);
    try {
      await renameLocked(process, renaming);
    } finally {
      unlock();
    }
  });
}

/** Locks two directories: `lock_rename()`. */
async function lockBoth(
  { tree }: TreeProcess,
  one: Dentry,
  other: Dentry,
): Promise<() => void> {
  const locks = [one.node!.inode.lock];
  if (one.node !== other.node) {
    await tree.renames.acquire(true);
    // The upper directory first, which rules out a deadlock.
    if (one.isBelow(other)) locks.unshift(other.node!.inode.lock);
    else locks.push(other.node!.inode.lock);
  }
  for (const lock of locks) await lock.acquire(true);
  return () => {
    for (const lock of locks) lock.release();
    if (locks.length > 1) tree.renames.release();
  };
}

async function renameLocked(
  process: TreeProcess,
  { from, to, flags, held }: Renaming,
): Promise<void> {
  const how = { call: CALL, held, locked: true };
  const source = await lookup(process, from.parent, from.name, how);
  if (source.node === null) throw error("ENOENT");
  //= fs/namei.c do_renameat2(): an existing target is looked up again.
  const fresh = (flags & RENAME.EXCHANGE) === 0;
  const target = await lookup(process, to.parent, to.name, { ...how, fresh });
  checkPlaces(source, target, from, to, flags);
  if (source.node === target.node) return;
  await mayRename(process, source, target, flags);
  await send(process, source, target, flags);
  invalidateDirectory(from.parent.node!);
  if (from.parent !== to.parent) invalidateDirectory(to.parent.node!);
  invalidateCtime(source.node);
  if ((flags & RENAME.EXCHANGE) !== 0) {
    invalidateCtime(target.node!);
    return exchange(source, target);
  }
  //= fs/namei.c vfs_rename(): a replaced directory is dead.
  if (target.node?.isDirectory) target.node.dead = true;
  if (target.node !== null) unlinkDentry(target);
  else detach(target);
  move(source, to.parent, to.name);
}

/** Checks the two names and their places: `do_renameat2()`. */
function checkPlaces(
  source: Dentry,
  target: Dentry,
  from: LastName,
  to: LastName,
  flags: number,
): void {
  const exchanges = (flags & RENAME.EXCHANGE) !== 0;
  if ((flags & RENAME.NOREPLACE) !== 0 && target.node !== null) {
    throw error("EEXIST");
  }
  if (exchanges && target.node === null) throw error("ENOENT");
  if (exchanges && to.slash && !target.node!.isDirectory) {
    throw error("ENOTDIR");
  }
  const isPlain = !source.node!.isDirectory;
  if (isPlain && (from.slash || !exchanges && to.slash)) throw error("ENOTDIR");
  if (to.parent.isBelow(source)) throw error("EINVAL");
  if (target.node !== null && from.parent.isBelow(target)) {
    throw error(exchanges ? "EINVAL" : "ENOTEMPTY");
  }
}

/** Checks permissions and file types: `vfs_rename()`. */
async function mayRename(
  process: TreeProcess,
  source: Dentry,
  target: Dentry,
  flags: number,
): Promise<void> {
  const isDirectory = source.node!.isDirectory;
  await requireMayDelete(process, source, CALL, isDirectory);
  if (target.node === null) {
    await requireMayCreate(process, target.parent, CALL);
  } else {
    const exchanges = (flags & RENAME.EXCHANGE) !== 0;
    const asDirectory = exchanges ? target.node.isDirectory : isDirectory;
    await requireMayDelete(process, target, CALL, asDirectory);
  }
  if (source.parent === target.parent) return;
  //= fs/namei.c vfs_rename(): the directory's `..` changes.
  if (isDirectory) {
    await process.requirePermission(source.node!, CALL, MAY.WRITE);
  }
  if ((flags & RENAME.EXCHANGE) !== 0 && target.node!.isDirectory) {
    await process.requirePermission(target.node!, CALL, MAY.WRITE);
  }
}

/** Sends RENAME2 if there are flags, RENAME otherwise: `fuse_rename2()`. */
async function send(
  process: TreeProcess,
  source: Dentry,
  target: Dentry,
  flags: number,
): Promise<void> {
  const { tree } = process;
  const directory = source.parent.node!;
  const newdir = target.parent.node!.nodeid;
  const names = [source.name, target.name];
  //= fs/fuse/dir.c fuse_rename2(): flags need 7.23. ENOSYS counts as EINVAL and
  //= is remembered.
  const isOld = tree.limits.minor < 23 || tree.unsupported.has("RENAME2");
  if (flags !== 0 && isOld) throw error("EINVAL");
  const { errno } = flags === 0
    ? await process.ask(directory, "RENAME", { body: { newdir }, names })
    : await process.ask(directory, "RENAME2", {
      body: { newdir, flags },
      names,
    });
  if (errno === 0) return;
  if (flags !== 0 && errno === ERRNO.ENOSYS) {
    tree.unsupported.add("RENAME2");
    throw error("EINVAL");
  }
  //= fs/fuse/dir.c fuse_rename_common(): after these errors, the rename may or
  //= may not have happened.
  if (errno === ERRNO.EINTR || errno === ERRNO.ENOENT) {
    source.validUntil = EXPIRED;
    target.validUntil = EXPIRED;
  }
  throw new SimError(CALL, errno);
}

function error(name: keyof typeof ERRNO): SimError {
  return new SimError(CALL, ERRNO[name]);
}
