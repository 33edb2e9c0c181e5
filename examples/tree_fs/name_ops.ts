/**
 * What gives names to inodes and takes them away: MKNOD, MKDIR, CREATE,
 * TMPFILE, SYMLINK, LINK, UNLINK, RMDIR; and READLINK.
 *
 * @module
 */
import { accessors, Errno, O } from "../../src/protocol/mod.ts";
import type { Reply, Request } from "../../mod.ts";
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

/** MKNOD: a file, FIFO, socket or device. */
export function mknod(tree: Tree, request: Request, reply: Reply): void {
  const place = freePlace(tree, request);
  const mode = MKNOD_IN.get.mode(request.body);
  const rdev = MKNOD_IN.get.rdev(request.body);
  const inode = tree.makeNode(request, mode, rdev);
  addName(tree, place, inode);
  replyEntry(tree, reply, inode);
}

/** MKDIR: an empty directory. */
export function mkdir(tree: Tree, request: Request, reply: Reply): void {
  const place = freePlace(tree, request);
  const mode = MKDIR_IN.get.mode(request.body);
  const inode = tree.makeDirectory(request, mode);
  addName(tree, place, inode);
  replyEntry(tree, reply, inode);
}

/** SYMLINK: a name that stands for a path; the path may be any text. */
export function symlink(tree: Tree, request: Request, reply: Reply): void {
  const place = freePlace(tree, request);
  // A copy: what lies in the request is gone once it is answered.
  const inode = tree.makeSymlink(request, request.nameBytes(1).slice());
  addName(tree, place, inode);
  replyEntry(tree, reply, inode);
}

/** READLINK: that path. */
export function readlink(tree: Tree, request: Request, reply: Reply): void {
  const inode = tree.inode(request.nodeid);
  if (!(inode instanceof Symlink)) throw new Errno("EINVAL");
  inode.atime = tree.now();
  reply.data.set(inode.target);
  reply.ok(inode.target.length);
}

/** CREATE: a plain file, made and opened in one go. */
export function create(tree: Tree, request: Request, reply: Reply): void {
  const directory = tree.directory(request.nodeid);
  const flags = CREATE_IN.get.flags(request.body);
  const there = directory.get(readName(request));
  // The kernel looked before, but somebody else may have been quicker.
  if (there !== undefined && !(flags & O.EXCL)) {
    const file = tree.file(there.nodeid);
    if (flags & O.TRUNC) truncate(tree, file);
    return replyOpenEntry(tree, reply, there, OPEN_FLAGS);
  }
  const place = freePlace(tree, request);
  const inode = tree.makeNode(request, CREATE_IN.get.mode(request.body));
  addName(tree, place, inode);
  replyOpenEntry(tree, reply, inode, OPEN_FLAGS);
}

/** TMPFILE: a plain file, opened, that has no name; LINK may give it one. */
export function tmpfile(tree: Tree, request: Request, reply: Reply): void {
  const inode = tree.makeNode(request, CREATE_IN.get.mode(request.body));
  replyOpenEntry(tree, reply, inode, OPEN_FLAGS);
}

/** LINK: one more name for an inode. */
export function link(tree: Tree, request: Request, reply: Reply): void {
  const inode = tree.inode(LINK_IN.get.oldnodeid(request.body));
  if (inode instanceof Directory) throw new Errno("EPERM");
  addName(tree, freePlace(tree, request), inode);
  inode.ctime = tree.now();
  replyEntry(tree, reply, inode);
}

/** UNLINK: one name less for anything but a directory. */
export function unlink(tree: Tree, request: Request, reply: Reply): void {
  const { directory, name, inode } = takenPlace(tree, request);
  if (inode instanceof Directory) throw new Errno("EISDIR");
  removeName(tree, directory, name, inode);
  reply.ok();
}

/** RMDIR: the end of an empty directory. */
export function rmdir(tree: Tree, request: Request, reply: Reply): void {
  const { directory, name, inode } = takenPlace(tree, request);
  if (!(inode instanceof Directory)) throw new Errno("ENOTDIR");
  if (inode.size > 0) throw new Errno("ENOTEMPTY");
  removeName(tree, directory, name, inode);
  reply.ok();
}

interface Place {
  readonly directory: Directory;
  readonly name: string;
}

/** A name that a request wants to give, and that is still to be had. */
function freePlace(tree: Tree, request: Request): Place {
  const directory = tree.directory(request.nodeid);
  const name = readName(request);
  if (directory.get(name) !== undefined) throw new Errno("EEXIST");
  // Somebody works in it, though it was removed.
  if (directory.nlink === 0) throw new Errno("ENOENT");
  return { directory, name };
}

/** A name that a request wants to take, and what it leads to. */
function takenPlace(
  tree: Tree,
  request: Request,
): Place & { readonly inode: Inode } {
  const directory = tree.directory(request.nodeid);
  const name = readName(request);
  const inode = directory.get(name);
  if (inode === undefined) throw new Errno("ENOENT");
  return { directory, name, inode };
}

function addName(tree: Tree, { directory, name }: Place, inode: Inode): void {
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
