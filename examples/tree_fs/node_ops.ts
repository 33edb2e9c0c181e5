/**
 * Operations on any inode: LOOKUP, FORGET, attributes; and STATFS.
 *
 * @module
 */
import type { Reply, Request } from "@mqfuse/mqfuse";
import {
  accessors,
  decodeStruct,
  Errno,
  FATTR,
  NAME_MAX,
  PAGE_SIZE,
  timeOf,
} from "@mqfuse/mqfuse/protocol";
import { readName } from "./names.ts";
import { replyAttributes, replyEntry } from "./replies.ts";
import type { Tree } from "./tree.ts";

const FORGET_IN = accessors("fuse_forget_in");
const FORGET_ONE = accessors("fuse_forget_one");
const BATCH_FORGET_IN = accessors("fuse_batch_forget_in");

/** The bits of a mode that chmod(2) changes. */
const PERMISSIONS = 0o7777;

/** LOOKUP: finds the inode of a name. */
export function lookup(tree: Tree, request: Request, reply: Reply): void {
  const name = readName(request);
  // An NFS server looks up "." of any inode, even of a plain file.
  if (name === ".") {
    return replyEntry(tree, reply, tree.inode(request.nodeid));
  }
  const directory = tree.directory(request.nodeid);
  const inode = name === ".." ? directory.parent : directory.get(name);
  if (inode === undefined) throw new Errno("ENOENT");
  replyEntry(tree, reply, inode);
}

/** FORGET: the kernel has dropped lookups of an inode. */
export function forget(tree: Tree, request: Request, reply: Reply): void {
  tree.forget(request.nodeid, FORGET_IN.get.nlookup(request.body));
  reply.none();
}

/** BATCH_FORGET: the same for many inodes. */
export function batchForget(tree: Tree, request: Request, reply: Reply): void {
  const items = request.tailView();
  const count = BATCH_FORGET_IN.get.count(request.body);
  for (let i = 0; i < count; i++) {
    const at = i * FORGET_ONE.size;
    const nodeid = FORGET_ONE.get.nodeid(items, at);
    tree.forget(nodeid, FORGET_ONE.get.nlookup(items, at));
  }
  reply.none();
}

/** GETATTR: stat(2). */
export function getattr(tree: Tree, request: Request, reply: Reply): void {
  replyAttributes(reply, tree.inode(request.nodeid));
}

/** SETATTR: chmod(2), chown(2), truncate(2), utimensat(2). */
export function setattr(tree: Tree, request: Request, reply: Reply): void {
  const inode = tree.inode(request.nodeid);
  const wanted = decodeStruct("fuse_setattr_in", request.body);
  const { valid } = wanted;
  const now = tree.now();
  // First, because only this can fail.
  if (valid & FATTR.SIZE) {
    resize(tree, request.nodeid, Number(wanted.size), now);
  }
  if (valid & FATTR.MODE) {
    inode.mode = inode.mode & ~PERMISSIONS | wanted.mode & PERMISSIONS;
  }
  if (valid & FATTR.UID) inode.uid = wanted.uid;
  if (valid & FATTR.GID) inode.gid = wanted.gid;
  if (valid & FATTR.ATIME_NOW) inode.atime = now;
  else if (valid & FATTR.ATIME) {
    inode.atime = timeOf(wanted.atime, wanted.atimensec);
  }
  if (valid & FATTR.MTIME_NOW) inode.mtime = now;
  else if (valid & FATTR.MTIME) {
    inode.mtime = timeOf(wanted.mtime, wanted.mtimensec);
  }
  inode.ctime = valid & FATTR.CTIME
    ? timeOf(wanted.ctime, wanted.ctimensec)
    : now;
  replyAttributes(reply, inode);
}

function resize(tree: Tree, nodeid: bigint, size: number, now: bigint): void {
  const file = tree.file(nodeid);
  if (size > Number.MAX_SAFE_INTEGER) throw new Errno("EFBIG");
  file.data.truncate(size);
  file.mtime = now;
}

/** STATFS: statfs(2), used by df. */
export function statfs(tree: Tree, _request: Request, reply: Reply): void {
  const { space, count } = tree;
  const free = BigInt(space.free);
  reply.struct("fuse_statfs_out", {
    st: {
      bsize: PAGE_SIZE,
      frsize: PAGE_SIZE,
      blocks: BigInt(space.pages),
      bfree: free,
      bavail: free,
      // The number of files is not limited; this is an estimate.
      files: BigInt(count) + free,
      ffree: free,
      namelen: NAME_MAX,
    },
  });
}
