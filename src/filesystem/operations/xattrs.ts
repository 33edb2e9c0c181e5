/**
 * Extended attributes: GETXATTR, SETXATTR, LISTXATTR, REMOVEXATTR. The kernel
 * asks for sizes too, and does not send again what fails with ENOSYS.
 *
 * @module
 */
import { ERRNO, Errno } from "../../base/errno.ts";
import { XATTR } from "../../base/file_flags.ts";
import { XATTR_SIZE_MAX } from "../../base/limits.ts";
import { encodeName } from "../../base/name_bytes.ts";
import { accessors } from "../../protocol/accessors.ts";
import type { Reply } from "../../protocol/reply.ts";
import type { Request } from "../../protocol/request.ts";
import { andThen } from "../answer.ts";
import type { Caller, FileSystem, May } from "../file_system.ts";
import { textOf } from "../names.ts";
import { nodeIdOf } from "../request_fields.ts";
import type { Operation } from "./operation.ts";

const SETXATTR_IN = accessors("fuse_setxattr_in");
const GETXATTR_IN = accessors("fuse_getxattr_in");

/**
 * The start of the names of access control lists. Without POSIX_ACL the kernel
 * would not enforce them: it checks permissions by the mode alone.
 */
const ACL = "system.posix_acl_";

/** The name of an attribute. */
function attributeName(
  { enforcesAcls }: { readonly enforcesAcls: boolean },
  request: Request,
): string {
  const name = textOf(request);
  if (!enforcesAcls && name.startsWith(ACL)) throw new Errno("EOPNOTSUPP");
  return name;
}

/** GETXATTR: the value of a name. */
export const getxattr: Operation = (context, request, reply, caller) => {
  const { fs, nodes } = context;
  if (fs.getxattr === undefined) return reply.error(ERRNO.ENOSYS);
  const node = nodes.get(nodeIdOf(request));
  const name = attributeName(context, request);
  return andThen(fs.getxattr(node, name, caller), (value) => {
    if (value === null) throw new Errno("ENODATA");
    replyValue(request, reply, value);
  });
};

/** SETXATTR: adds or replaces a value. */
export const setxattr: Operation = (context, request, reply, caller) => {
  const { fs, nodes } = context;
  if (fs.setxattr === undefined) {
    return reply.error(context.isReadOnly ? ERRNO.EROFS : ERRNO.ENOSYS);
  }
  const node = nodes.get(nodeIdOf(request));
  const size = SETXATTR_IN.get.size(request.body);
  const flags = SETXATTR_IN.get.flags(request.body);
  if (size > XATTR_SIZE_MAX) throw new Errno("E2BIG");
  const name = attributeName(context, request);
  const value = request.value().subarray(0, size);
  const checked = checkExistence(fs, node, name, flags, caller);
  const done = andThen(checked, () => {
    return fs.setxattr!(node, name, value, flags, caller);
  });
  return andThen(done, () => reply.ok());
};

/** What flags of setxattr(2) demand; the kernel holds the inode's lock. */
function checkExistence<N extends object, H>(
  fs: FileSystem<N, H>,
  node: N,
  name: string,
  flags: number,
  caller: Caller,
): May<void> {
  if ((flags & (XATTR.CREATE | XATTR.REPLACE)) === 0) return;
  return andThen(fs.getxattr?.(node, name, caller), (value) => {
    if (value === undefined) return;
    if (value !== null && flags & XATTR.CREATE) throw new Errno("EEXIST");
    if (value === null && flags & XATTR.REPLACE) throw new Errno("ENODATA");
  });
}

/** LISTXATTR: all names, each with a NUL. */
export const listxattr: Operation = ({ fs, nodes }, request, reply, caller) => {
  if (fs.listxattr === undefined) return reply.error(ERRNO.ENOSYS);
  const node = nodes.get(nodeIdOf(request));
  return andThen(fs.listxattr(node, caller), (names) => {
    const text = Array.from(names, (name) => `${name}\0`).join("");
    replyValue(request, reply, encodeName(text));
  });
};

/** REMOVEXATTR: removes a name and its value. */
export const removexattr: Operation = (context, request, reply, caller) => {
  const { fs, nodes } = context;
  if (fs.removexattr === undefined) {
    return reply.error(context.isReadOnly ? ERRNO.EROFS : ERRNO.ENOSYS);
  }
  const node = nodes.get(nodeIdOf(request));
  const done = fs.removexattr(node, attributeName(context, request), caller);
  return andThen(done, () => reply.ok());
};

/** Answers with a value, or with its size if the request has room for none. */
function replyValue(request: Request, reply: Reply, value: Uint8Array): void {
  const room = GETXATTR_IN.get.size(request.body);
  if (room === 0) {
    return reply.struct("fuse_getxattr_out", { size: value.length });
  }
  if (value.length > room) throw new Errno("ERANGE");
  reply.data.set(value);
  reply.ok(value.length);
}
