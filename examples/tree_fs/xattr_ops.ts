/**
 * Extended attributes, xattr(7): small values by name, for each inode.
 *
 * @module
 */
import type { Reply, Request } from "@mqfuse/mqfuse";
import {
  accessors,
  Errno,
  XATTR,
  XATTR_SIZE_MAX,
} from "@mqfuse/mqfuse/protocol";
import { nameBytes, readName } from "./names.ts";
import type { Tree } from "./tree.ts";

const SETXATTR_IN = accessors("fuse_setxattr_in");
const GETXATTR_IN = accessors("fuse_getxattr_in");

/** SETXATTR: adds or replaces a value. */
export function setxattr(tree: Tree, request: Request, reply: Reply): void {
  const inode = tree.inode(request.nodeid);
  const name = readName(request);
  const size = SETXATTR_IN.get.size(request.body);
  const flags = SETXATTR_IN.get.flags(request.body);
  // Access control lists, which this file system would not enforce.
  if (name.startsWith("system.")) throw new Errno("EOPNOTSUPP");
  if (size > XATTR_SIZE_MAX) throw new Errno("E2BIG");
  const there = inode.xattrs.has(name);
  if (flags & XATTR.CREATE && there) throw new Errno("EEXIST");
  if (flags & XATTR.REPLACE && !there) throw new Errno("ENODATA");
  inode.xattrs.set(name, request.value().slice(0, size));
  inode.ctime = tree.now();
  reply.ok();
}

/** GETXATTR: the value of a name. */
export function getxattr(tree: Tree, request: Request, reply: Reply): void {
  const name = readName(request);
  if (name.startsWith("system.")) throw new Errno("EOPNOTSUPP");
  const value = tree.inode(request.nodeid).xattrs.get(name);
  if (value === undefined) throw new Errno("ENODATA");
  replyValue(request, reply, value);
}

/** LISTXATTR: all names, each with a NUL. */
export function listxattr(tree: Tree, request: Request, reply: Reply): void {
  const names = [...tree.inode(request.nodeid).xattrs.keys()];
  replyValue(request, reply, nameBytes(names.map((n) => `${n}\0`).join("")));
}

/** REMOVEXATTR: removes a name and its value. */
export function removexattr(tree: Tree, request: Request, reply: Reply): void {
  const inode = tree.inode(request.nodeid);
  if (!inode.xattrs.delete(readName(request))) throw new Errno("ENODATA");
  inode.ctime = tree.now();
  reply.ok();
}

/** Answers with a value, or with its size only if the request's size is 0. */
function replyValue(request: Request, reply: Reply, value: Uint8Array): void {
  const room = GETXATTR_IN.get.size(request.body);
  if (room === 0) {
    return reply.struct("fuse_getxattr_out", { size: value.length });
  }
  if (value.length > room) throw new Errno("ERANGE");
  reply.data.set(value);
  reply.ok(value.length);
}
