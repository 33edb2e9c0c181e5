/**
 * Operations on any node: LOOKUP, FORGET, GETATTR, SETATTR, READLINK; STATFS.
 *
 * @module
 */
import { ERRNO, Errno } from "../../base/errno.ts";
import { encodeName } from "../../base/name_bytes.ts";
import { timeOf } from "../../base/timespec.ts";
import { accessors } from "../../protocol/accessors.ts";
import { FATTR, FUSE_GETATTR } from "../../protocol/flags.ts";
import { andThen } from "../answer.ts";
import type { Changes } from "../attr.ts";
import type { FileSystemContext } from "../context.ts";
import { killPrivileges } from "../kill_privileges.ts";
import { entryName } from "../names.ts";
import { replyAttr, replyEntry } from "../replies.ts";
import { idAt, nodeIdOf } from "../request_fields.ts";
import { wireStatFs } from "../wire_attr.ts";
import type { Operation } from "./operation.ts";

const GETATTR_IN = accessors("fuse_getattr_in");
const SETATTR_IN = accessors("fuse_setattr_in");
const ACCESS_IN = accessors("fuse_access_in");
const FORGET_IN = accessors("fuse_forget_in");
const FORGET_ONE = accessors("fuse_forget_one");
const BATCH_FORGET_IN = accessors("fuse_batch_forget_in");

/** LOOKUP: the node of a name. */
export const lookup: Operation = (context, request, reply, caller) => {
  const { fs, nodes, rules } = context;
  const directory = nodes.get(nodeIdOf(request));
  const name = entryName(request);
  return andThen(fs.lookup?.(directory, name, caller) ?? null, (node) => {
    if (node !== null) {
      return andThen(fs.getattr(node, caller), (attr) => {
        replyEntry(context, reply, node, attr);
      });
    }
    const { seconds, nanoseconds } = rules.negative;
    if (seconds === 0n && nanoseconds === 0) return reply.error(ERRNO.ENOENT);
    // Node id 0: the kernel remembers that there is no such name.
    reply.struct("fuse_entry_out", {
      entry_valid: seconds,
      entry_valid_nsec: nanoseconds,
    });
  });
};

/** FORGET: the kernel has dropped lookups of a node. */
export const forget: Operation = (context, request, reply) => {
  const lookups = Number(FORGET_IN.get.nlookup(request.body));
  reply.none();
  forgetNode(context, nodeIdOf(request), lookups);
};

/** BATCH_FORGET: the same for many nodes. */
export const batchForget: Operation = (context, request, reply) => {
  const items = request.tailView();
  const count = BATCH_FORGET_IN.get.count(request.body);
  reply.none();
  for (let i = 0; i < count; i++) {
    const at = i * FORGET_ONE.size;
    const lookups = Number(FORGET_ONE.get.nlookup(items, at));
    forgetNode(context, idAt(items, at + FORGET_ONE.at.nodeid), lookups);
  }
};

function forgetNode<N extends object, H>(
  { fs, nodes }: FileSystemContext<N, H>,
  id: number,
  lookups: number,
): void {
  const node = nodes.forget(id, lookups);
  if (node !== null) fs.forget?.(node);
}

/** GETATTR: stat(2). */
export const getattr: Operation = (context, request, reply, caller) => {
  const { fs, nodes, handles } = context;
  const { body } = request;
  const node = nodes.get(nodeIdOf(request));
  const hasHandle = GETATTR_IN.get.getattr_flags(body) & FUSE_GETATTR.FH;
  const handle = hasHandle
    ? handles.get(idAt(body, GETATTR_IN.at.fh))
    : undefined;
  return andThen(fs.getattr(node, caller, handle), (attr) => {
    replyAttr(context, reply, node, attr);
  });
};

/** SETATTR: chmod(2), chown(2), truncate(2), utimensat(2), O_TRUNC. */
export const setattr: Operation = (context, request, reply, caller) => {
  const { fs, nodes, handles } = context;
  const node = nodes.get(nodeIdOf(request));
  if (fs.setattr === undefined) throw context.refusal("EPERM");
  const { body } = request;
  const valid = SETATTR_IN.get.valid(body);
  const handle = valid & FATTR.FH
    ? handles.get(idAt(body, SETATTR_IN.at.fh))
    : undefined;
  const changes = changesOf(body, valid, caller.time);
  const killed = valid & FATTR.KILL_SUIDGID
    ? killPrivileges(context, node, caller)
    : undefined;
  const done = andThen(
    killed,
    () => fs.setattr!(node, changes, caller, handle),
  );
  return andThen(done, (attr) => {
    const now = attr ?? fs.getattr(node, caller, handle);
    return andThen(now, (attr) => replyAttr(context, reply, node, attr));
  });
};

function changesOf(body: DataView, valid: number, now: bigint): Changes {
  const { get } = SETATTR_IN;
  const changes: Changes = { ctime: now };
  if (valid & FATTR.MODE) changes.mode = get.mode(body);
  if (valid & FATTR.UID) changes.uid = get.uid(body);
  if (valid & FATTR.GID) changes.gid = get.gid(body);
  if (valid & FATTR.SIZE) {
    const size = SETATTR_IN.number.size(body);
    if (size > Number.MAX_SAFE_INTEGER) throw new Errno("EFBIG");
    changes.size = size;
    changes.mtime = now;
  }
  if (valid & FATTR.ATIME_NOW) changes.atime = now;
  else if (valid & FATTR.ATIME) {
    changes.atime = timeOf(get.atime(body), get.atimensec(body));
  }
  if (valid & FATTR.MTIME_NOW) changes.mtime = now;
  else if (valid & FATTR.MTIME) {
    changes.mtime = timeOf(get.mtime(body), get.mtimensec(body));
  }
  if (valid & FATTR.CTIME) {
    changes.ctime = timeOf(get.ctime(body), get.ctimensec(body));
  }
  return changes;
}

/** READLINK: the target of a symbolic link. */
export const readlink: Operation = ({ fs, nodes }, request, reply, caller) => {
  if (fs.readlink === undefined) throw new Errno("EINVAL");
  const node = nodes.get(nodeIdOf(request));
  return andThen(fs.readlink(node, caller), (target) => {
    const bytes = encodeName(target);
    if (bytes.length > reply.data.length) throw new Errno("ENAMETOOLONG");
    reply.data.set(bytes);
    reply.ok(bytes.length);
  });
};

/** ACCESS: access(2), where the kernel does not check permissions. */
export const access: Operation = ({ fs, nodes }, request, reply, caller) => {
  // The kernel does not send it again, and allows everything.
  if (fs.access === undefined) return reply.error(ERRNO.ENOSYS);
  const node = nodes.get(nodeIdOf(request));
  const mask = ACCESS_IN.get.mask(request.body);
  return andThen(fs.access(node, mask, caller), () => reply.ok());
};

/** STATFS: statfs(2), used by df. */
export const statfs: Operation = ({ fs, nodes }, request, reply, caller) => {
  const node = nodes.get(nodeIdOf(request));
  return andThen(fs.statfs?.(node, caller) ?? {}, (space) => {
    reply.struct("fuse_statfs_out", { st: wireStatFs(space) });
  });
};
