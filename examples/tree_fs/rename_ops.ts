/**
 * RENAME and RENAME2: rename(2) and renameat2(2), with all their checks.
 *
 * @module
 */
import type { Reply, Request } from "@mqfuse/mqfuse";
import { accessors, Errno, RENAME } from "@mqfuse/mqfuse/protocol";
import { Directory } from "./directory.ts";
import type { Inode } from "./inode.ts";
import { readName } from "./names.ts";
import type { Tree } from "./tree.ts";

const RENAME_IN = accessors("fuse_rename_in");
const RENAME2_IN = accessors("fuse_rename2_in");

/** RENAME: replaces the new name if it exists. */
export function rename(tree: Tree, request: Request, reply: Reply): void {
  move(tree, request, RENAME_IN.get.newdir(request.body), 0);
  reply.ok();
}

/** RENAME2: the same, with flags. */
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
  const existing = to.get(newName);
  if (inode === undefined) throw new Errno("ENOENT");
  check(from, to, inode, existing, flags);
  // rename(2) does nothing if both names belong to the same file.
  if (inode === existing) return;
  const now = tree.now();
  to.link(newName, inode);
  if (flags === RENAME.EXCHANGE) from.link(oldName, existing!);
  else from.unlink(oldName);
  for (const changed of [from, to]) changed.mtime = changed.ctime = now;
  inode.ctime = now;
  if (existing !== undefined) {
    existing.ctime = now;
    tree.dropUnused(existing);
  }
}

function check(
  from: Directory,
  to: Directory,
  inode: Inode,
  existing: Inode | undefined,
  flags: number,
): void {
  const { NOREPLACE, EXCHANGE } = RENAME;
  if (flags !== 0 && flags !== NOREPLACE && flags !== EXCHANGE) {
    throw new Errno("EINVAL");
  }
  if (to.nlink === 0) throw new Errno("ENOENT");
  if (flags === NOREPLACE && existing !== undefined) throw new Errno("EEXIST");
  // A directory must not become its own descendant.
  if (isAncestor(inode, to)) throw new Errno("EINVAL");
  if (flags === EXCHANGE) {
    if (existing === undefined) throw new Errno("ENOENT");
    if (isAncestor(existing, from)) throw new Errno("EINVAL");
    return;
  }
  if (existing === undefined || existing === inode) return;
  const isDirectory = inode instanceof Directory;
  if (existing instanceof Directory) {
    if (!isDirectory) throw new Errno("EISDIR");
    if (existing.size > 0) throw new Errno("ENOTEMPTY");
  } else if (isDirectory) {
    throw new Errno("ENOTDIR");
  }
}

function isAncestor(inode: Inode, directory: Directory): boolean {
  return inode instanceof Directory && inode.contains(directory);
}
