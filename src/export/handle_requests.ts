/**
 * OPEN, FSYNC, FLUSH and RELEASE: handles, and which of them is told of an error
 * that a flush of the image has found. The rules are those of fsync(2) since
 * Linux 4.13: Documentation/filesystems/vfs.rst, "Handling errors during
 * writeback".
 *
 * @module
 */
import { ERRNO } from "../base/errno.ts";
import { O, O_DIRECT } from "../base/file_flags.ts";
import { Completion, type Step } from "../event/completion.ts";
import { accessors } from "../protocol/accessors.ts";
import { FOPEN } from "../protocol/flags.ts";
import type { Reply } from "../protocol/reply.ts";
import type { Request } from "../protocol/request.ts";
import type { CountedContext, ExportRules } from "./export_context.ts";
import { replyError, replyResult } from "./reply_result.ts";

const OPEN_IN = accessors("fuse_open_in");
const OPEN_OUT = accessors("fuse_open_out");
const FSYNC_IN = accessors("fuse_fsync_in");
const FLUSH_IN = accessors("fuse_flush_in");
const RELEASE_IN = accessors("fuse_release_in");

/**
 * Answers OPEN. An error that no client has been told of is one for the new
 * handle too, as errseq_sample() has it.
 */
export function openHandle(
  { rules, state, syncErrors }: CountedContext,
  request: Request,
  reply: Reply,
): void {
  const flags = OPEN_IN.get.flags(request.body);
  const writable = (flags & O.ACCMODE) !== O.RDONLY;
  // The mount was read-only too, but `mount -o remount,rw` asks no server.
  if (writable && !rules.writable) return reply.error(ERRNO.EROFS);
  const { count } = syncErrors;
  const since = syncErrors.allSeen ? count : count - 1;
  // A read-only export is never flushed, so its handles hold nothing.
  const fh = rules.writable ? state.handles.open(writable, since) : 0n;
  if (fh === null) return reply.error(ERRNO.ENFILE);
  const backingId = rules.backingId ?? 0;
  const transfer = transferBy(rules, flags);
  const body = reply.zeroed(OPEN_OUT.size);
  OPEN_OUT.set.fh(body, 0, fh);
  OPEN_OUT.set.open_flags(
    body,
    0,
    writable ? transfer : transfer | FOPEN.NOFLUSH,
  );
  OPEN_OUT.set.backing_id(body, 0, backingId);
  reply.ok(OPEN_OUT.size);
}

/** The flags by which the kernel transfers what a handle reads and writes. */
function transferBy({ backingId, cache }: ExportRules, flags: number): number {
  // With DIRECT_IO too, the kernel would still send reads and writes here.
  if ((backingId ?? 0) !== 0) return FOPEN.PASSTHROUGH;
  const direct = FOPEN.DIRECT_IO | FOPEN.PARALLEL_DIRECT_WRITES;
  if ((cache ?? "none") === "none") return direct;
  // Without KEEP_CACHE, an open drops what is cached for others.
  const isDirect = (flags & O_DIRECT) !== 0;
  return isDirect ? FOPEN.KEEP_CACHE | direct : FOPEN.KEEP_CACHE;
}

/**
 * Answers FSYNC: flushes the image, and tells the handle once of every error
 * since it was told last, whichever flush found it.
 */
export function syncHandle(
  context: CountedContext,
  request: Request,
  reply: Reply,
): void | PromiseLike<unknown> {
  const { backend, rules, state } = context;
  if (!rules.writable) return reply.ok();
  const fh = FSYNC_IN.get.fh(request.body);
  if (!state.handles.has(fh)) return reply.error(ERRNO.EBADF);
  state.stampWrites();
  const handle = { context, fh };
  let flushed;
  try {
    flushed = backend.flush();
  } catch (error) {
    return failSync(error, handle);
  }
  return typeof flushed === "number"
    ? replySync(flushed, handle, reply)
    : Completion.of(flushed).after(REPLY_SYNC, handle, reply);
}

/** The handle that an FSYNC, FLUSH or durable WRITE is for. */
export interface HandleRequest {
  readonly context: CountedContext;
  readonly fh: bigint;
}

const REPLY_SYNC: Step<number, void, HandleRequest, Reply> = {
  run: replySync,
  recover: failSync,
};

/** The handle is told of the failure by an error of this request. */
export function failSync(
  error: unknown,
  { context, fh }: HandleRequest,
): never {
  tellHandle(context, fh);
  throw error;
}

function replySync(
  flushed: number,
  { context, fh }: HandleRequest,
  reply: Reply,
) {
  const error = tellHandle(context, fh);
  replyResult(reply, flushed >= 0 ? error : flushed);
}

/**
 * Tells a handle of the errors that it has not been told of.
 *
 * @returns The last of them as a negated errno; 0 if there are none.
 */
export function tellHandle(
  { state, syncErrors }: CountedContext,
  fh: bigint,
): number {
  const { count } = syncErrors;
  if (!state.handles.tell(fh, count)) return 0;
  syncErrors.see(count);
  return -syncErrors.errno;
}

/**
 * Answers FLUSH, which is sent for each close(2) of a descriptor: flushes the
 * image, and reports an error that the handle has not been told of. The handle
 * is still told by its next FSYNC, because another process may have it open.
 */
export function flushHandle(
  context: CountedContext,
  request: Request,
  reply: Reply,
): void | PromiseLike<unknown> {
  const { backend, rules, state } = context;
  const fh = FLUSH_IN.get.fh(request.body);
  if (!rules.writable) return reply.ok();
  if (!state.handles.has(fh)) return reply.error(ERRNO.EBADF);
  // A kernel without FOPEN_NOFLUSH also sends it for handles that only read.
  if (!state.handles.isWritable(fh)) return reply.ok();
  state.stampWrites();
  const flushed = backend.flush();
  return typeof flushed === "number"
    ? replyFlush(flushed, { context, fh }, reply)
    : Completion.of(flushed).after(REPLY_FLUSH, { context, fh }, reply);
}

const REPLY_FLUSH: Step<number, void, HandleRequest, Reply> = {
  run: replyFlush,
};

function replyFlush(
  flushed: number,
  { context: { state, syncErrors }, fh }: HandleRequest,
  reply: Reply,
): void {
  const { count } = syncErrors;
  if (!(flushed >= 0)) replyError(reply, flushed);
  else if (state.handles.hasNews(fh, count)) reply.error(syncErrors.errno);
  else reply.ok();
}

/** Answers RELEASE, after the last descriptor of a handle was closed. */
export function releaseHandle(
  { state }: CountedContext,
  request: Request,
  reply: Reply,
): void {
  state.handles.close(RELEASE_IN.get.fh(request.body));
  reply.ok();
}
