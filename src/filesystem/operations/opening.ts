/**
 * Opening and closing files: OPEN, CREATE, TMPFILE, FLUSH, FSYNC, RELEASE.
 *
 * @module
 */
import { ERRNO, Errno } from "../../base/errno.ts";
import { errnoOf } from "../../base/errno_of.ts";
import { O, O_DIRECT, S_IF } from "../../base/file_flags.ts";
import { accessors } from "../../protocol/accessors.ts";
import { FOPEN, FUSE_FSYNC, FUSE_RELEASE } from "../../protocol/flags.ts";
import type { Reply } from "../../protocol/reply.ts";
import { andThen, type Answer, orElse } from "../answer.ts";
import type { FileSystemContext } from "../context.ts";
import type { Caller, May } from "../file_system.ts";
import { NO_HANDLE } from "../handle_table.ts";
import { makeNode } from "../make_node.ts";
import { entryName } from "../names.ts";
import { type Opened, replyOpened, replyOpenEntry } from "../replies.ts";
import { idAt, nodeIdOf } from "../request_fields.ts";
import { unlockAll } from "./locking.ts";
import type { Operation } from "./operation.ts";

const DIRECT = FOPEN.DIRECT_IO | FOPEN.PARALLEL_DIRECT_WRITES;
const OPEN_IN = accessors("fuse_open_in");
const CREATE_IN = accessors("fuse_create_in");
const FLUSH_IN = accessors("fuse_flush_in");
const FSYNC_IN = accessors("fuse_fsync_in");
const RELEASE_IN = accessors("fuse_release_in");

/** OPEN. */
export const open: Operation = (context, request, reply, caller) => {
  const node = context.nodes.get(nodeIdOf(request));
  const flags = OPEN_IN.get.flags(request.body);
  const opened = openNode(context, node, flags, caller);
  return andThen(opened, (out) => {
    return orClose(context, node, out, () => replyOpened(reply, out));
  });
};

function openNode<N extends object, H>(
  { fs, handles, rules, backing }: FileSystemContext<N, H>,
  node: N,
  flags: number,
  caller: Caller,
): May<Opened> {
  const access = flags & O.ACCMODE;
  if (fs.write === undefined && access !== O.RDONLY) throw new Errno("EROFS");
  const openFlags = rules.openFlags(node);
  const given = rules.writeback ? forWriteback(flags) : flags;
  return andThen(fs.open?.(node, given, caller), (handle) => {
    if (handle === undefined) {
      return { fh: NO_HANDLE, flags: openFlags, backingId: 0 };
    }
    const fh = handles.add(handle as H);
    if (backing === null || (openFlags & FOPEN.DIRECT_IO) !== 0) {
      return { fh, flags: openFlags, backingId: 0 };
    }
    const id = backing.open(node, fh, fs.backing!(node, handle as H));
    if (id === null) return { fh, flags: openFlags, backingId: 0 };
    // Direct writes that the kernel did by itself would stay direct when a
    // program turns that off by fcntl(2), as dd(1) does for a last short block.
    const isDirect = (flags & O_DIRECT) !== 0 && access !== O.RDONLY &&
      !fs.takesDirectWrites?.(node);
    const direct = isDirect ? DIRECT : 0;
    return { fh, flags: FOPEN.PASSTHROUGH | direct, backingId: id };
  });
}

/**
 * Flags for a file whose writes the kernel collects: it reads the pages of which
 * it writes a part, and appends by itself.
 */
function forWriteback(flags: number): number {
  const access = flags & O.ACCMODE;
  const reads = access === O.WRONLY ? O.RDWR : access;
  return (flags & ~(O.ACCMODE | O.APPEND)) | reads;
}

/** Replies; if that is refused, closes the file, which the kernel cannot do. */
function orClose<N extends object, H>(
  context: FileSystemContext<N, H>,
  node: N,
  { fh }: Opened,
  answer: () => void,
): May<void> {
  try {
    answer();
  } catch (error) {
    return andThen(close(context, node, fh), () => {
      throw error;
    });
  }
}

/** CREATE: creates a plain file and opens it. */
export const create: Operation = (context, request, reply, caller) => {
  const { fs, nodes } = context;
  const directory = nodes.get(nodeIdOf(request));
  const name = entryName(request);
  const mode = CREATE_IN.get.mode(request.body);
  const flags = CREATE_IN.get.flags(request.body) & ~O.TRUNC;
  const isTruncated = (CREATE_IN.get.flags(request.body) & O.TRUNC) !== 0;
  let opens = flags;
  const made = orElse(
    () =>
      fs.create !== undefined
        ? fs.create(directory, name, mode, caller)
        : makeNode(context, directory, name, mode, 0, caller, "EACCES"),
    (error) => {
      // The kernel knew no such name, but it may have come by another way.
      if (errnoOf(error) !== ERRNO.EEXIST || flags & O.EXCL) throw error;
      opens = flags & ~O.CREAT;
      return existing(context, directory, name, isTruncated, caller);
    },
  );
  return andThen(made, (node) => {
    return openNew(context, reply, node, opens, caller);
  });
};

/** TMPFILE: creates a plain file without a name and opens it. */
export const tmpfile: Operation = (context, request, reply, caller) => {
  const { fs, nodes } = context;
  // The kernel does not send it again: EOPNOTSUPP.
  if (fs.tmpfile === undefined) return reply.error(ERRNO.ENOSYS);
  const directory = nodes.get(nodeIdOf(request));
  const mode = CREATE_IN.get.mode(request.body);
  const flags = CREATE_IN.get.flags(request.body);
  return andThen(fs.tmpfile(directory, mode, caller), (node) => {
    return openNew(context, reply, node, flags, caller);
  });
};

/** Opens a node, and answers with its entry and the open file. */
function openNew<N extends object, H>(
  context: FileSystemContext<N, H>,
  reply: Reply,
  node: N,
  flags: number,
  caller: Caller,
): Answer {
  return andThen(context.fs.getattr(node, caller), (attr) => {
    return andThen(openNode(context, node, flags, caller), (out) => {
      return orClose(context, node, out, () => {
        replyOpenEntry(context, reply, node, attr, out);
      });
    });
  });
}

/** The plain file that has a name already, emptied if `isTruncated`. */
function existing<N extends object, H>(
  { fs }: FileSystemContext<N, H>,
  directory: N,
  name: string,
  isTruncated: boolean,
  caller: Caller,
): May<N> {
  return andThen(fs.lookup?.(directory, name, caller) ?? null, (node) => {
    if (node === null) throw new Errno("ENOENT");
    return andThen(fs.getattr(node, caller), ({ mode }) => {
      // Not to be opened without a new LOOKUP, which ESTALE makes.
      if ((mode & S_IF.MT) !== S_IF.REG) throw new Errno("ESTALE");
      if (!isTruncated) return node;
      if (fs.setattr === undefined) throw new Errno("EACCES");
      const ctime = caller.time;
      const changes = { size: 0, mtime: ctime, ctime };
      return andThen(fs.setattr(node, changes, caller), () => node);
    });
  });
}

/** FLUSH: close(2) of a descriptor, which ends the locks of its process. */
export const flush: Operation = (context, request, reply, caller) => {
  const { fs, nodes, handles } = context;
  // The kernel does not send it again.
  if (fs.flush === undefined && fs.lock === undefined) {
    return reply.error(ERRNO.ENOSYS);
  }
  const { body } = request;
  const node = nodes.get(nodeIdOf(request));
  const handle = handles.get(idAt(body, FLUSH_IN.at.fh));
  const owner = FLUSH_IN.get.lock_owner(body);
  const unlocked = unlockAll(context, node, owner, false, caller, handle);
  const flushed = andThen(unlocked, () => fs.flush?.(node, caller, handle));
  return andThen(flushed, () => reply.ok());
};

/** FSYNC. */
export const fsync: Operation = (context, request, reply, caller) => {
  const { fs, nodes, handles } = context;
  // The kernel does not send it again, and fsync(2) succeeds.
  if (fs.fsync === undefined) return reply.error(ERRNO.ENOSYS);
  const { body } = request;
  const node = nodes.get(nodeIdOf(request));
  const handle = handles.get(idAt(body, FSYNC_IN.at.fh));
  const flags = FSYNC_IN.get.fsync_flags(body);
  const dataOnly = (flags & FUSE_FSYNC.FDATASYNC) !== 0;
  const done = fs.fsync(node, dataOnly, caller, handle);
  return andThen(done, () => reply.ok());
};

/** FSYNCDIR: its handle is a listing, which the file system does not know. */
export const fsyncdir: Operation = (context, request, reply, caller) => {
  const { fs, nodes } = context;
  if (fs.fsync === undefined) return reply.error(ERRNO.ENOSYS);
  const node = nodes.get(nodeIdOf(request));
  const flags = FSYNC_IN.get.fsync_flags(request.body);
  const dataOnly = (flags & FUSE_FSYNC.FDATASYNC) !== 0;
  return andThen(fs.fsync(node, dataOnly, caller), () => reply.ok());
};

/** RELEASE: the last close(2) of an open file, which ends its lock. */
export const release: Operation = (context, request, reply, caller) => {
  const { body } = request;
  const node = context.nodes.get(nodeIdOf(request));
  const fh = idAt(body, RELEASE_IN.at.fh);
  const flags = RELEASE_IN.get.release_flags(body);
  if ((flags & FUSE_RELEASE.FLOCK_UNLOCK) === 0) {
    return andThen(close(context, node, fh), () => reply.ok());
  }
  const owner = RELEASE_IN.get.lock_owner(body);
  const handle = context.handles.get(fh);
  const unlocked = unlockAll(context, node, owner, true, caller, handle);
  const closed = andThen(unlocked, () => close(context, node, fh));
  return andThen(closed, () => reply.ok());
};

function close<N extends object, H>(
  { fs, handles, backing }: FileSystemContext<N, H>,
  node: N,
  fh: number,
): May<void> {
  backing?.release(node, fh);
  const handle = handles.remove(fh);
  return fs.release?.(node, handle);
}
