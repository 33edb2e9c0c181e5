/**
 * RENAME and RENAME2: everything that rename(2) can do, and all that it must
 * not do.
 *
 * @module
 */
import { accessors, Errno, RENAME } from "../../src/protocol/mod.ts";
import type { Reply, Request } from "../../mod.ts";
import { Directory } from "./directory.ts";
import type { Inode } from "./inode.ts";
import { readName } from "./names.ts";
import type { Tree } from "./tree.ts";

const RENAME_IN = accessors("fuse_rename_in");
const RENAME2_IN = accessors("fuse_rename2_in");

/** RENAME: what is there under the new name goes away. */
export function rename(tree: Tree, request: Request, reply: Reply): void {
  move(tree, request, RENAME_IN.get.newdir(request.body), 0);
  reply.ok();
}

/** RENAME2: the same with flags. */
export function rename2(tree: Tree, request: Request, reply: Reply): void {
  const { get } = RENAME2_IN;
  move(tree, request, get.newdir(request.body), get.flags(request.body));
  reply.ok();
}

function move(
  tree: Tree,
  request: Request,
  newNodeid: bigint,
  flags: number,
): void {
  const from = tree.directory(request.nodeid);
  const to = tree.directory(newNodeid);
  const oldName = readName(request);
  const newName = readName(request, 1);
  const inode = from.get(oldName);
  const there = to.get(newName);
  if (inode === undefined) throw new Errno("ENOENT");
  check(from, to, inode, there, flags);
  // Two names of one file stay two names: rename(2) says so.
  if (inode === there) return;
  const now = tree.now();
  to.link(newName, inode);
  if (flags === RENAME.EXCHANGE) from.link(oldName, there!);
  else from.unlink(oldName);
  for (const changed of [from, to]) changed.mtime = changed.ctime = now;
  inode.ctime = now;
  if (there !== undefined) {
    there.ctime = now;
    tree.dropUnused(there);
  }
}

function check(
  from: Directory,
  to: Directory,
  inode: Inode,
  there: Inode | undefined,
  flags: number,
): void {
  const { NOREPLACE, EXCHANGE } = RENAME;
  if (flags !== 0 && flags !== NOREPLACE && flags !== EXCHANGE) {
    throw new Errno("EINVAL");
  }
  if (to.nlink === 0) throw new Errno("ENOENT");
  if (flags === NOREPLACE && there !== undefined) throw new Errno("EEXIST");
  // A directory below itself could be reached by no path.
  if (isAbove(inode, to)) throw new Errno("EINVAL");
  if (flags === EXCHANGE) {
    if (there === undefined) throw new Errno("ENOENT");
    if (isAbove(there, from)) throw new Errno("EINVAL");
    return;
  }
  if (there === undefined || there === inode) return;
  const isDirectory = inode instanceof Directory;
  if (there instanceof Directory) {
    if (!isDirectory) throw new Errno("EISDIR");
    if (there.size > 0) throw new Errno("ENOTEMPTY");
  } else if (isDirectory) {
    throw new Errno("ENOTDIR");
  }
}

function isAbove(inode: Inode, directory: Directory): boolean {
  return inode instanceof Directory && inode.contains(directory);
}
