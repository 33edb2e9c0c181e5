/**
 * The data of files: READ, WRITE, FALLOCATE, LSEEK. A READ or WRITE that the
 * file system answers at once allocates nothing here.
 *
 * @module
 */
import { ERRNO, Errno } from "../../base/errno.ts";
import { SEEK } from "../../base/file_flags.ts";
import { accessors } from "../../protocol/accessors.ts";
import { FUSE_WRITE } from "../../protocol/flags.ts";
import type { Reply } from "../../protocol/reply.ts";
import { andThen, type Answer, isLater } from "../answer.ts";
import type { May } from "../file_system.ts";
import { killPrivileges } from "../kill_privileges.ts";
import { idAt, nodeIdOf } from "../request_fields.ts";
import type { Operation } from "./operation.ts";

const READ_IN = accessors("fuse_read_in");
const WRITE_IN = accessors("fuse_write_in");
const WRITE_OUT = accessors("fuse_write_out");
const FALLOCATE_IN = accessors("fuse_fallocate_in");
const LSEEK_IN = accessors("fuse_lseek_in");

/** READ. */
export const read: Operation = (context, request, reply, caller) => {
  const { fs, nodes, handles } = context;
  const { body } = request;
  const node = nodes.get(nodeIdOf(request));
  if (fs.read === undefined) throw new Errno("EINVAL");
  const into = firstBytes(reply.data, READ_IN.get.size(body));
  const handle = handles.get(idAt(body, READ_IN.at.fh));
  const offset = READ_IN.number.offset(body);
  const result = fs.read(node, into, offset, caller, handle);
  if (typeof result === "number") return reply.ok(result);
  return replyBytes(reply, into, result);
};

/** Answers with bytes of the file system's own, or later. */
function replyBytes(
  reply: Reply,
  into: Uint8Array,
  result: May<number | Uint8Array>,
): Answer {
  return andThen(result, (read) => {
    if (typeof read === "number") return reply.ok(read);
    if (read.length > into.length) {
      throw new RangeError(
        `read() returned ${read.length} bytes, and ${into.length} were wanted`,
      );
    }
    into.set(read);
    reply.ok(read.length);
  });
}

/** WRITE. */
export const write: Operation = (context, request, reply, caller) => {
  const { fs, nodes, handles } = context;
  const { body } = request;
  const node = nodes.get(nodeIdOf(request));
  if (fs.write === undefined) throw new Errno("EROFS");
  const data = firstBytes(request.data, WRITE_IN.get.size(body));
  const handle = handles.get(idAt(body, WRITE_IN.at.fh));
  const offset = WRITE_IN.number.offset(body);
  if (offset + data.length > Number.MAX_SAFE_INTEGER) throw new Errno("EFBIG");
  if ((WRITE_IN.get.write_flags(body) & FUSE_WRITE.KILL_SUIDGID) !== 0) {
    const killed = killPrivileges(context, node, caller);
    if (isLater(killed)) {
      return killed.then(() => fs.write!(node, data, offset, caller, handle))
        .then((count) => replyCount(reply, count ?? data.length));
    }
  }
  const written = fs.write(node, data, offset, caller, handle);
  if (written === undefined) return replyCount(reply, data.length);
  if (typeof written === "number") return replyCount(reply, written);
  return replyCountLater(reply, data.length, written);
};

function replyCountLater(
  reply: Reply,
  all: number,
  written: PromiseLike<number | void>,
): Answer {
  return written.then((count) => replyCount(reply, count ?? all));
}

function replyCount(reply: Reply, count: number): void {
  if (count >>> 0 !== count) {
    throw new RangeError(`write() returned ${count}, which is no count`);
  }
  WRITE_OUT.set.size(reply.body, 0, count);
  WRITE_OUT.set.padding(reply.body, 0, 0);
  reply.ok(WRITE_OUT.size);
}

/** The last part that was taken of memory which a queue uses again and again. */
const parts = new WeakMap<Uint8Array, Uint8Array>();

/** The first bytes of memory; programs mostly want as many as before. */
function firstBytes(bytes: Uint8Array, count: number): Uint8Array {
  if (bytes.length === count) return bytes;
  const last = parts.get(bytes);
  if (last?.length === count) return last;
  const part = bytes.subarray(0, count);
  parts.set(bytes, part);
  return part;
}

/** FALLOCATE: reserves, zeroes or frees a range. */
export const fallocate: Operation = (context, request, reply, caller) => {
  const { fs, nodes, handles } = context;
  const { body } = request;
  const node = nodes.get(nodeIdOf(request));
  // The kernel does not send it again: EOPNOTSUPP.
  if (fs.fallocate === undefined) return reply.error(ERRNO.ENOSYS);
  const offset = FALLOCATE_IN.number.offset(body);
  const length = FALLOCATE_IN.number.length(body);
  if (offset + length > Number.MAX_SAFE_INTEGER) throw new Errno("EFBIG");
  const mode = FALLOCATE_IN.get.mode(body);
  const handle = handles.get(idAt(body, FALLOCATE_IN.at.fh));
  // Unlike a WRITE, it does not say whether the caller is privileged.
  const killed = context.privilegesKilled !== null && caller.uid !== 0
    ? killPrivileges(context, node, caller)
    : undefined;
  return andThen(killed, () => {
    const done = fs.fallocate!(node, mode, offset, length, caller, handle);
    return andThen(done, () => reply.ok());
  });
};

/** LSEEK: finds data or a hole; the kernel handles the other kinds itself. */
export const lseek: Operation = (context, request, reply, caller) => {
  const { fs, nodes, handles } = context;
  const { body } = request;
  const node = nodes.get(nodeIdOf(request));
  // The kernel does not send it again: all of each file counts as data.
  if (fs.seekData === undefined || fs.seekHole === undefined) {
    return reply.error(ERRNO.ENOSYS);
  }
  const offset = LSEEK_IN.number.offset(body);
  const whence = LSEEK_IN.get.whence(body);
  if (whence !== SEEK.DATA && whence !== SEEK.HOLE) throw new Errno("EINVAL");
  const handle = handles.get(idAt(body, LSEEK_IN.at.fh));
  const found = whence === SEEK.DATA
    ? fs.seekData(node, offset, caller, handle)
    : fs.seekHole(node, offset, caller, handle);
  return andThen(found, (position) => {
    if (position === null) throw new Errno("ENXIO");
    reply.struct("fuse_lseek_out", { offset: BigInt(position) });
  });
};
