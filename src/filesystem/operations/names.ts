/**
 * Operations that add and remove names: MKNOD, MKDIR, SYMLINK, LINK, UNLINK,
 * RMDIR, RENAME.
 *
 * @module
 */
import { S_IF } from "../../base/file_flags.ts";
import { accessors } from "../../protocol/accessors.ts";
import type { Reply } from "../../protocol/reply.ts";
import type { Request } from "../../protocol/request.ts";
import { andThen, type Answer } from "../answer.ts";
import type { FileSystemContext } from "../context.ts";
import type { Caller, May } from "../file_system.ts";
import { makeNode } from "../make_node.ts";
import { entryName, textOf } from "../names.ts";
import { replyEntry } from "../replies.ts";
import { idAt, nodeIdOf } from "../request_fields.ts";
import type { Operation } from "./operation.ts";

const MKNOD_IN = accessors("fuse_mknod_in");
const MKDIR_IN = accessors("fuse_mkdir_in");
const LINK_IN = accessors("fuse_link_in");
const RENAME_IN = accessors("fuse_rename_in");
const RENAME2_IN = accessors("fuse_rename2_in");

/** MKNOD: creates a file, FIFO, socket or device. */
export const mknod: Operation = (context, request, reply, caller) => {
  const directory = context.nodes.get(nodeIdOf(request));
  const name = entryName(request);
  const mode = withType(MKNOD_IN.get.mode(request.body), S_IF.REG);
  const rdev = MKNOD_IN.get.rdev(request.body);
  const made = makeNode(context, directory, name, mode, rdev, caller);
  return replyNew(context, reply, caller, made);
};

/** MKDIR: creates a directory. */
export const mkdir: Operation = (context, request, reply, caller) => {
  const directory = context.nodes.get(nodeIdOf(request));
  const name = entryName(request);
  const mode = withType(MKDIR_IN.get.mode(request.body), S_IF.DIR);
  const made = makeNode(context, directory, name, mode, 0, caller);
  return replyNew(context, reply, caller, made);
};

/** The kernel leaves the type of what MKDIR makes out. */
function withType(mode: number, type: number): number {
  return (mode & S_IF.MT) === 0 ? mode | type : mode;
}

/** SYMLINK: creates a symbolic link. */
export const symlink: Operation = (context, request, reply, caller) => {
  const { fs, nodes } = context;
  const directory = nodes.get(nodeIdOf(request));
  const name = entryName(request);
  if (fs.symlink === undefined) throw context.refusal("EPERM");
  const made = fs.symlink(directory, name, textOf(request, 1), caller);
  return replyNew(context, reply, caller, made);
};

/** LINK: adds a name to a node. */
export const link: Operation = (context, request, reply, caller) => {
  const { fs, nodes } = context;
  const directory = nodes.get(nodeIdOf(request));
  const node = nodes.get(idAt(request.body, LINK_IN.at.oldnodeid));
  const name = entryName(request);
  if (fs.link === undefined) throw context.refusal("EPERM");
  const done = fs.link(node, directory, name, caller);
  return andThen(done, () => replyNew(context, reply, caller, node));
};

function replyNew<N extends object, H>(
  context: FileSystemContext<N, H>,
  reply: Reply,
  caller: Caller,
  made: May<N>,
): Answer {
  return andThen(made, (node) => {
    return andThen(context.fs.getattr(node, caller), (attr) => {
      replyEntry(context, reply, node, attr);
    });
  });
}

/** UNLINK: removes a name of anything but a directory. */
export const unlink: Operation = (context, request, reply, caller) => {
  const { fs, nodes } = context;
  const directory = nodes.get(nodeIdOf(request));
  if (fs.unlink === undefined) throw context.refusal("EPERM");
  const done = fs.unlink(directory, entryName(request), caller);
  return andThen(done, () => reply.ok());
};

/** RMDIR: removes an empty directory. */
export const rmdir: Operation = (context, request, reply, caller) => {
  const { fs, nodes } = context;
  const directory = nodes.get(nodeIdOf(request));
  if (fs.rmdir === undefined) throw context.refusal("EPERM");
  const done = fs.rmdir(directory, entryName(request), caller);
  return andThen(done, () => reply.ok());
};

/** RENAME: moves a name. */
export const rename: Operation = (context, request, reply, caller) => {
  const newdir = idAt(request.body, RENAME_IN.at.newdir);
  return move(context, request, reply, caller, newdir, 0);
};

/** RENAME2: the same, with flags. */
export const rename2: Operation = (context, request, reply, caller) => {
  const newdir = idAt(request.body, RENAME2_IN.at.newdir);
  const flags = RENAME2_IN.get.flags(request.body);
  return move(context, request, reply, caller, newdir, flags);
};

function move<N extends object, H>(
  context: FileSystemContext<N, H>,
  request: Request,
  reply: Reply,
  caller: Caller,
  newdir: number,
  flags: number,
): Answer {
  const { fs, nodes } = context;
  const from = nodes.get(nodeIdOf(request));
  const to = nodes.get(newdir);
  if (fs.rename === undefined) throw context.refusal("EPERM");
  const oldName = entryName(request);
  const newName = entryName(request, 1);
  const done = fs.rename(from, oldName, to, newName, flags, caller);
  return andThen(done, () => reply.ok());
}
