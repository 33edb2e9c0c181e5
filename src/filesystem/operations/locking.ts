/**
 * Locks of files: GETLK, SETLK, SETLKW, and those that a close(2) ends.
 *
 * @module
 */
import { ERRNO, Errno } from "../../base/errno.ts";
import { accessors } from "../../protocol/accessors.ts";
import { decodeStruct } from "../../protocol/codec.ts";
import { FUSE_LK } from "../../protocol/flags.ts";
import type { Request } from "../../protocol/request.ts";
import { andThen, type Answer } from "../answer.ts";
import type { FileSystemContext } from "../context.ts";
import type { Caller, May } from "../file_system.ts";
import { type Lock, LOCK_END_MAX, lockKindOf, lockType } from "../lock.ts";
import { idAt, nodeIdOf } from "../request_fields.ts";
import type { Operation } from "./operation.ts";

const LK_IN = accessors("fuse_lk_in");

/** GETLK: fcntl(2) with F_GETLK. */
export const getlk: Operation = (context, request, reply, caller) => {
  const { fs, nodes, handles } = context;
  if (fs.conflictingLock === undefined) return reply.error(ERRNO.ENOSYS);
  const node = nodes.get(nodeIdOf(request));
  const handle = handles.get(idAt(request.body, LK_IN.at.fh));
  const found = fs.conflictingLock(node, lockOf(request), caller, handle);
  return andThen(found, (lock) => {
    const { start, end, kind, pid } = lock ??
      { start: 0n, end: 0n, kind: "none" as const, pid: 0 };
    reply.struct("fuse_lk_out", {
      lk: { start, end, type: lockType(kind), pid },
    });
  });
};

/** SETLK: a lock that fails with EAGAIN if another one conflicts. */
export const setlk: Operation = (context, request, reply, caller) => {
  const done = setLock(context, request, caller, false);
  return andThen(done, () => reply.ok());
};

/** SETLKW: a lock that waits for the end of conflicting ones. */
export const setlkw: Operation = (context, request, reply, caller) => {
  const done = setLock(context, request, caller, true);
  return andThen(done, () => reply.ok());
};

function setLock<N extends object, H>(
  { fs, nodes, handles }: FileSystemContext<N, H>,
  request: Request,
  caller: Caller,
  wait: boolean,
): Answer {
  if (fs.lock === undefined) throw new Errno("ENOSYS");
  const node = nodes.get(nodeIdOf(request));
  const handle = handles.get(idAt(request.body, LK_IN.at.fh));
  return fs.lock(node, lockOf(request), wait, caller, handle);
}

function lockOf(request: Request): Lock {
  const { owner, lk, lk_flags } = decodeStruct("fuse_lk_in", request.body);
  const kind = lockKindOf(lk.type);
  if (kind === null) throw new Errno("EINVAL");
  return {
    kind,
    start: lk.start,
    end: lk.end,
    owner,
    pid: lk.pid,
    isFlock: (lk_flags & FUSE_LK.FLOCK) !== 0,
  };
}

/** Ends all locks of an owner on a file, which is closed. */
export function unlockAll<N extends object, H>(
  { fs }: FileSystemContext<N, H>,
  node: N,
  owner: bigint,
  isFlock: boolean,
  caller: Caller,
  handle: H | undefined,
): May<void> {
  const { pid } = caller;
  const all = { start: 0n, end: LOCK_END_MAX, owner, pid, isFlock };
  return fs.lock?.(node, { ...all, kind: "none" }, false, caller, handle);
}
