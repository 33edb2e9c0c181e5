/**
 * GETATTR and SETATTR of the exported file.
 *
 * @module
 */
import {
  nanosecondsOf,
  type NewTime,
  secondsOf,
  timeOf,
} from "../base/timespec.ts";
import type { ImageStat } from "../backends/backend.ts";
import { accessors } from "../protocol/accessors.ts";
import { ERRNO } from "../base/errno.ts";
import { Completion, type Step } from "../event/completion.ts";
import { FATTR } from "../protocol/flags.ts";
import { S_IF } from "../base/file_flags.ts";
import type { Reply } from "../protocol/reply.ts";
import type { Request } from "../protocol/request.ts";
import type { ExportContext } from "./export_context.ts";
import type { ExportState } from "./export_state.ts";
import { replyError } from "./reply_result.ts";
import { dropSetIds } from "./set_ids.ts";
import { maySetSize, setImageSize } from "./image_size.ts";

const IN_HEADER = accessors("fuse_in_header");
const ATTR = accessors("fuse_attr");
const ATTR_OUT = accessors("fuse_attr_out");
const SETATTR_IN = accessors("fuse_setattr_in");
/** Seconds for which the kernel may cache the attributes. */
const ATTR_VALID_S = 1n;
const GROUP_OR_OTHERS = 0o077;
const ANY_WRITE = 0o222;

const SETTABLE = FATTR.SIZE | FATTR.MODE | FATTR.FH | FATTR.LOCKOWNER |
  FATTR.KILL_SUIDGID | FATTR.ATIME | FATTR.MTIME | FATTR.CTIME |
  FATTR.ATIME_NOW | FATTR.MTIME_NOW;
const TIMES = FATTR.ATIME | FATTR.MTIME;

/** Answers with the current attributes. */
export function replyAttributes(
  context: ExportContext,
  reply: Reply,
): void | PromiseLike<unknown> {
  const { backend, state } = context;
  const stat = backend.stat();
  return "then" in stat
    ? Completion.of(stat).after(FILL_ATTRIBUTES, state, reply)
    : fillAttributes(stat, state, reply);
}

const FILL_ATTRIBUTES: Step<ImageStat, void, ExportState, Reply> = {
  run: fillAttributes,
};

function fillAttributes(
  stat: ImageStat,
  state: ExportState,
  reply: Reply,
): void {
  const size = state.size;
  const { atime, mtime, ctime } = stat.times ?? state;
  // The image does not have the mode and owner of this file.
  const changed = ctime > state.changedAt ? ctime : state.changedAt;
  const body = reply.zeroed(ATTR_OUT.size);
  const at = ATTR_OUT.at.attr;
  ATTR_OUT.set.attr_valid(body, 0, ATTR_VALID_S);
  ATTR.set.ino(body, at, 1n);
  ATTR.setNumber.size(body, at, size);
  ATTR.setNumber.blocks(body, at, Math.ceil((stat.allocated ?? size) / 512));
  ATTR.set.atime(body, at, secondsOf(atime));
  ATTR.set.atimensec(body, at, nanosecondsOf(atime));
  ATTR.set.mtime(body, at, secondsOf(mtime));
  ATTR.set.mtimensec(body, at, nanosecondsOf(mtime));
  ATTR.set.ctime(body, at, secondsOf(changed));
  ATTR.set.ctimensec(body, at, nanosecondsOf(changed));
  ATTR.set.mode(body, at, S_IF.REG | state.mode);
  ATTR.set.nlink(body, at, 1);
  ATTR.set.uid(body, at, state.uid);
  ATTR.set.gid(body, at, state.gid);
  ATTR.set.blksize(body, at, stat.blockSize);
  reply.ok(ATTR_OUT.size);
}

/**
 * Changes attributes. All checks come before the first change, and changes that
 * the backend can refuse come before those that cannot fail.
 */
export async function setAttributes(
  context: ExportContext,
  request: Request,
  reply: Reply,
): Promise<void> {
  const wanted = readWanted(request);
  const refusal = refuse(context, wanted);
  if (refusal !== 0) return reply.error(refusal);
  const { state } = context;
  const { valid } = wanted;
  if ((valid & FATTR.SIZE) !== 0) {
    const result = await setImageSize(context, wanted.size);
    if (!(result >= 0)) return replyError(reply, result);
  }
  if ((valid & TIMES) !== 0) {
    const result = await setTimes(context, wanted.atime, wanted.mtime);
    if (!(result >= 0)) return replyError(reply, result);
  }
  const changesFile = (valid & (FATTR.SIZE | FATTR.UID | FATTR.GID)) !== 0;
  if (changesFile && (valid & FATTR.KILL_SUIDGID) !== 0) {
    dropSetIds(state, wanted.callerGid);
  }
  if ((valid & FATTR.MODE) !== 0) state.mode = wanted.mode;
  if ((valid & FATTR.UID) !== 0) state.uid = wanted.uid;
  if ((valid & FATTR.GID) !== 0) state.gid = wanted.gid;
  if ((valid & (FATTR.MODE | FATTR.UID | FATTR.GID)) !== 0) state.changed();
  await replyAttributes(context, reply);
}

type Wanted = ReturnType<typeof readWanted>;

/** Copies the request: its memory may be that of the reply too. */
function readWanted({ header, body }: Request) {
  const { get, number } = SETATTR_IN;
  const valid = get.valid(body);
  const time = (
    flag: number,
    nowFlag: number,
    s: bigint,
    ns: number,
  ): NewTime => {
    if ((valid & flag) === 0) return null;
    return (valid & nowFlag) !== 0 ? "now" : timeOf(s, ns);
  };
  return {
    valid,
    callerGid: IN_HEADER.get.gid(header),
    size: number.size(body),
    mode: get.mode(body),
    uid: get.uid(body),
    gid: get.gid(body),
    atime: time(
      FATTR.ATIME,
      FATTR.ATIME_NOW,
      get.atime(body),
      get.atimensec(body),
    ),
    mtime: time(
      FATTR.MTIME,
      FATTR.MTIME_NOW,
      get.mtime(body),
      get.mtimensec(body),
    ),
  };
}

/** The error number if the change is not allowed, else 0. */
function refuse(
  context: ExportContext,
  { valid, mode, size }: Wanted,
): number {
  const { rules, state } = context;
  const writable = rules.writable && !state.readOnly;
  const owner = rules.allowOther ? FATTR.UID | FATTR.GID : 0;
  if ((valid & ~(SETTABLE | owner)) !== 0) return ERRNO.EOPNOTSUPP;
  if ((valid & FATTR.MODE) !== 0) {
    if (!rules.allowOther && (mode & GROUP_OR_OTHERS) !== 0) return ERRNO.EPERM;
    if (!writable && (mode & ANY_WRITE) !== 0) return ERRNO.EROFS;
  }
  if ((valid & FATTR.SIZE) !== 0) {
    if (!writable) return ERRNO.EACCES;
    if (size > Number.MAX_SAFE_INTEGER) return ERRNO.EFBIG;
    if (!maySetSize(context, size)) return ERRNO.EPERM;
  }
  if ((valid & TIMES) !== 0 && !writable) return ERRNO.EROFS;
  return 0;
}

async function setTimes(
  { backend, state }: ExportContext,
  atime: NewTime,
  mtime: NewTime,
): Promise<number> {
  // An image that keeps its own times also sets them.
  if ((await backend.stat()).times !== null) {
    return await backend.setTimes(atime, mtime);
  }
  state.touch(atime, mtime);
  return 0;
}
