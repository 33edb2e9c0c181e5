/**
 * Operations that add and remove names: MKNOD, MKDIR, CREATE, TMPFILE, SYMLINK,
 * LINK, UNLINK, RMDIR; and READLINK.
 *
 * @module
 */
import type { Reply, Request } from "@mqfuse/mqfuse";
import { accessors, Errno, O } from "@mqfuse/mqfuse/protocol";
import { Directory } from "./directory.ts";
import { OPEN_FLAGS, truncate } from "./file_ops.ts";
import { type Inode, Symlink } from "./inode.ts";
import { readName } from "./names.ts";
import { replyEntry, replyOpenEntry } from "./replies.ts";
import type { Tree } from "./tree.ts";

const MKNOD_IN = accessors("fuse_mknod_in");
const MKDIR_IN = accessors("fuse_mkdir_in");
const CREATE_IN = accessors("fuse_create_in");
const LINK_IN = accessors("fuse_link_in");

/** MKNOD: creates a file, FIFO, socket or device. */
export function mknod(tree: Tree, request: Request, reply: Reply): void {
  const target = newTarget(tree, request);
  const mode = MKNOD_IN.get.mode(request.body);
  const rdev = MKNOD_IN.get.rdev(request.body);
  const inode = tree.makeNode(request, mode, rdev);
  addName(tree, target, inode);
  replyEntry(tree, reply, inode);
}

/** MKDIR: creates a directory. */
export function mkdir(tree: Tree, request: Request, reply: Reply): void {
  const target = newTarget(tree, request);
  const mode = MKDIR_IN.get.mode(request.body);
  const inode = tree.makeDirectory(request, mode);
  addName(tree, target, inode);
  replyEntry(tree, reply, inode);
}

/** SYMLINK: creates a symbolic link. */
export function symlink(tree: Tree, request: Request, reply: Reply): void {
  const target = newTarget(tree, request);
  // A copy, because the request's bytes are valid only until it is answered.
  const inode = tree.makeSymlink(request, request.nameBytes(1).slice());
  addName(tree, target, inode);
  replyEntry(tree, reply, inode);
}

/** READLINK: the target of a symbolic link. */
export function readlink(tree: Tree, request: Request, reply: Reply): void {
  const inode = tree.inode(request.nodeid);
  if (!(inode instanceof Symlink)) throw new Errno("EINVAL");
  inode.atime = tree.now();
  reply.data.set(inode.target);
  reply.ok(inode.target.length);
}

/** CREATE: creates a plain file and opens it. */
export function create(tree: Tree, request: Request, reply: Reply): void {
  const directory = tree.directory(request.nodeid);
  const flags = CREATE_IN.get.flags(request.body);
  const there = directory.get(readName(request));
  // The kernel found no such name, but another request may have created it.
  if (there !== undefined && !(flags & O.EXCL)) {
    const file = tree.file(there.nodeid);
    if (flags & O.TRUNC) truncate(tree, file);
    return replyOpenEntry(tree, reply, there, OPEN_FLAGS);
  }
  const target = newTarget(tree, request);
  const inode = tree.makeNode(request, CREATE_IN.get.mode(request.body));
  addName(tree, target, inode);
  replyOpenEntry(tree, reply, inode, OPEN_FLAGS);
}

/** TMPFILE: creates and opens a file without a name; LINK may add one. */
export function tmpfile(tree: Tree, request: Request, reply: Reply): void {
  const inode = tree.makeNode(request, CREATE_IN.get.mode(request.body));
  replyOpenEntry(tree, reply, inode, OPEN_FLAGS);
}

/** LINK: adds a name to an inode. */
export function link(tree: Tree, request: Request, reply: Reply): void {
  const inode = tree.inode(LINK_IN.get.oldnodeid(request.body));
  if (inode instanceof Directory) throw new Errno("EPERM");
  addName(tree, newTarget(tree, request), inode);
  inode.ctime = tree.now();
  replyEntry(tree, reply, inode);
}

/** UNLINK: removes a name of an inode other than a directory. */
export function unlink(tree: Tree, request: Request, reply: Reply): void {
  const { directory, name, inode } = existingTarget(tree, request);
  if (inode instanceof Directory) throw new Errno("EISDIR");
  removeName(tree, directory, name, inode);
  reply.ok();
}

/** RMDIR: removes an empty directory. */
export function rmdir(tree: Tree, request: Request, reply: Reply): void {
  const { directory, name, inode } = existingTarget(tree, request);
  if (!(inode instanceof Directory)) throw new Errno("ENOTDIR");
  if (inode.size > 0) throw new Errno("ENOTEMPTY");
  removeName(tree, directory, name, inode);
  reply.ok();
}

/** A directory, and a name in it. */
interface Target {
  readonly directory: Directory;
  readonly name: string;
}

/** The directory and new name of a request; the name must not exist. */
function newTarget(tree: Tree, request: Request): Target {
  const directory = tree.directory(request.nodeid);
  const name = readName(request);
  if (directory.get(name) !== undefined) throw new Errno("EEXIST");
  // The directory was removed while it was in use.
  if (directory.nlink === 0) throw new Errno("ENOENT");
  return { directory, name };
}

/** The directory and name of a request, and the inode of the name. */
function existingTarget(
  tree: Tree,
  request: Request,
): Target & { readonly inode: Inode } {
  const directory = tree.directory(request.nodeid);
  const name = readName(request);
  const inode = directory.get(name);
  if (inode === undefined) throw new Errno("ENOENT");
  return { directory, name, inode };
}

function addName(tree: Tree, { directory, name }: Target, inode: Inode): void {
  directory.link(name, inode);
  directory.mtime = directory.ctime = tree.now();
}

function removeName(
  tree: Tree,
  directory: Directory,
  name: string,
  inode: Inode,
): void {
  directory.unlink(name);
  directory.mtime = directory.ctime = inode.ctime = tree.now();
  tree.dropUnused(inode);
}
