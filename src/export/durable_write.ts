/**
 * WRITE through a handle with O_DSYNC or O_SYNC, or by pwritev2(2) with RWF_DSYNC
 * or RWF_SYNC: durable before its reply. The kernel sends the flags with WRITE
 * (fuse_write_flags() in fs/fuse/file.c), and no FSYNC after it.
 *
 * @module
 */
import { ERRNO } from "../base/errno.ts";
import { O } from "../base/file_flags.ts";
import { Completion, type Step } from "../event/completion.ts";
import { accessors } from "../protocol/accessors.ts";
import { FUSE_WRITE } from "../protocol/flags.ts";
import type { Reply } from "../protocol/reply.ts";
import type { Request } from "../protocol/request.ts";
import type { CountedContext } from "./export_context.ts";
import { failSync, type HandleRequest, tellHandle } from "./handle_requests.ts";
import { replyError } from "./reply_result.ts";
import { dropSetIds } from "./set_ids.ts";
import { writeImage } from "./transfer.ts";

const IN_HEADER = accessors("fuse_in_header");
const WRITE_IN = accessors("fuse_write_in");

/** A write that has to be durable. */
interface DurableWrite extends HandleRequest {
  /** The count of sync errors before the write. */
  readonly before: number;
}

/**
 * Answers WRITE; if its flags demand it, only when the bytes are durable. Clears
 * set-id bits of the file if the flags say so.
 */
export function writeHandle(
  context: CountedContext,
  request: Request,
  reply: Reply,
): void | PromiseLike<unknown> {
  const { body } = request;
  // The kernel sends this without negotiation, for direct I/O alone.
  if ((WRITE_IN.get.write_flags(body) & FUSE_WRITE.KILL_SUIDGID) !== 0) {
    dropSetIdsOf(context, request);
  }
  // O_SYNC contains this bit.
  const isDurable = (WRITE_IN.get.flags(body) & O.DSYNC) !== 0;
  return isDurable
    ? writeDurably(context, request, reply)
    : writeImage(context, request, reply);
}

/** Before the write, as file_remove_privs() does; not for a refused write. */
function dropSetIdsOf({ rules, state }: CountedContext, request: Request) {
  const isChange = WRITE_IN.get.size(request.body) > 0;
  if (!isChange || !rules.writable || state.readOnly) return;
  dropSetIds(state, IN_HEADER.get.gid(request.header));
}

function writeDurably(
  context: CountedContext,
  request: Request,
  reply: Reply,
): void | PromiseLike<unknown> {
  // Before the reply is filled, which may lie in the same memory.
  const fh = WRITE_IN.get.fh(request.body);
  const { rules, state, syncErrors } = context;
  if (rules.writable && !state.handles.has(fh)) {
    return reply.error(ERRNO.EBADF);
  }
  const write = { context, fh, before: syncErrors.count };
  const written = writeImage(context, request, reply);
  return written === undefined
    ? flushAfter(write, reply)
    : Completion.of(written).after(FLUSH_AFTER, write, reply);
}

const FLUSH_AFTER: Step<unknown, unknown, DurableWrite, Reply> = {
  run: (_written, write, reply) => flushAfter(write, reply),
};

/** Flushes, unless the write was answered with an error. */
function flushAfter(
  write: DurableWrite,
  reply: Reply,
): void | PromiseLike<unknown> {
  if (reply.errno !== 0) return;
  const { context: { backend, syncErrors }, before } = write;
  let flushed;
  try {
    flushed = syncErrors.flushSince(backend, before);
  } catch (error) {
    return failSync(error, write);
  }
  return typeof flushed === "number"
    ? finish(flushed, write, reply)
    : Completion.of(flushed).after(FINISH, write, reply);
}

const FINISH: Step<number, void, DurableWrite, Reply> = {
  run: finish,
  recover: failSync,
};

/** Replaces the reply by an error if the bytes may not be durable. */
function finish(
  flushed: number,
  { context, fh }: DurableWrite,
  reply: Reply,
): void {
  const error = tellHandle(context, fh);
  if (flushed >= 0 && error >= 0) return;
  reply.reset();
  replyError(reply, flushed >= 0 ? error : flushed);
}
