/**
 * READ and WRITE: the hot path of an export. It allocates nothing, whether the
 * backend answers at once or with a completion.
 *
 * @module
 */
import { accessors } from "../protocol/accessors.ts";
import { ERRNO } from "../base/errno.ts";
import { Completion, type Step } from "../event/completion.ts";
import type { Reply } from "../protocol/reply.ts";
import type { Request } from "../protocol/request.ts";
import type { CountedContext, ExportContext } from "./export_context.ts";
import { resizeLocked } from "./image_size.ts";
import { continueRead } from "./partial_read.ts";
import { replyError } from "./reply_result.ts";
import { spliceImage } from "./splice_read.ts";
import { continueWrite, isWriteBack } from "./whole_write.ts";

const READ_IN = accessors("fuse_read_in");
const WRITE_IN = accessors("fuse_write_in");
const WRITE_OUT = accessors("fuse_write_out");

/** Answers READ, up to the end of the image. */
export function readImage(
  context: CountedContext,
  request: Request,
  reply: Reply,
): void | PromiseLike<unknown> {
  const { backend, state } = context;
  const offset = READ_IN.number.offset(request.body);
  const size = READ_IN.get.size(request.body);
  if (size > reply.data.length) return reply.error(ERRNO.EINVAL);
  const length = Math.min(size, state.size - offset);
  if (length <= 0) return reply.ok(0);
  if (
    length >= context.spliceFrom && spliceImage(context, reply, offset, length)
  ) return;
  const got = backend.read(offset, reply.data, 0, length);
  if (typeof got !== "number") {
    return Completion.of(got).after(REPLY_READ, context, request, reply);
  }
  if (got === length) return reply.ok(length);
  return continueRead(got, context, request, reply);
}

const REPLY_READ: Step<number, void, ExportContext, Request, Reply> = {
  run(got, context, request, reply) {
    const offset = READ_IN.number.offset(request.body);
    const size = READ_IN.get.size(request.body);
    const length = Math.min(size, context.state.size - offset);
    if (got === length) return reply.ok(length);
    return continueRead(got, context, request, reply);
  },
};

/**
 * Answers WRITE. If the image may not grow, only bytes up to its end are
 * written, and a write that starts there gets ENOSPC, as from a block device.
 */
export function writeImage(
  context: ExportContext,
  request: Request,
  reply: Reply,
): void | PromiseLike<unknown> {
  const { state, rules } = context;
  if (!rules.writable) return reply.error(ERRNO.EACCES);
  const offset = WRITE_IN.number.offset(request.body);
  const size = WRITE_IN.get.size(request.body);
  if (!state.lock.tryShare()) {
    return state.lock.share().then(() =>
      writeShared(context, request, reply, offset, size)
    );
  }
  return writeShared(context, request, reply, offset, size);
}

/** Writes inside the image. Caller shares the lock; this releases it. */
function writeShared(
  context: ExportContext,
  request: Request,
  reply: Reply,
  offset: number,
  size: number,
): void | PromiseLike<unknown> {
  const { backend, state, rules } = context;
  if (state.readOnly) {
    state.lock.unshare();
    return reply.error(ERRNO.EACCES);
  }
  const fits = state.size - offset;
  if (size > fits && size > 0) {
    if (rules.growable) {
      state.lock.unshare();
      return writeExclusive(context, request, reply, offset, size);
    }
    if (fits <= 0) {
      state.lock.unshare();
      return reply.error(ERRNO.ENOSPC);
    }
  }
  const length = Math.max(0, Math.min(size, fits));
  if (backend.needsExclusiveWrite?.(offset, length) === true) {
    state.lock.unshare();
    return writeExclusive(context, request, reply, offset, length);
  }
  let put;
  try {
    put = length === 0 ? 0 : backend.write(offset, request.data, 0, length);
    if (typeof put !== "number") {
      return Completion.of(put).after(REPLY_WRITE, context, request, reply);
    }
  } catch (error) {
    state.lock.unshare();
    throw error;
  }
  state.lock.unshare();
  return replyWrite(put, context, request, reply);
}

/** Completes a write that shares the lock. */
const REPLY_WRITE: Step<number, unknown, ExportContext, Request, Reply> = {
  run(put, context, request, reply) {
    context.state.lock.unshare();
    return replyWrite(put, context, request, reply);
  },
  recover(error, { state }) {
    state.lock.unshare();
    throw error;
  },
};

/** Answers a write whose lock has been released. */
function replyWrite(
  put: number,
  context: ExportContext,
  request: Request,
  reply: Reply,
): void | Promise<void> {
  if (!(put >= 0)) return replyError(reply, put);
  const size = WRITE_IN.get.size(request.body);
  // Many programs would endlessly repeat a write that returned 0.
  if (put === 0 && size > 0) return reply.error(ERRNO.ENOSPC);
  if (put > 0) context.state.written();
  if (put < size && isWriteBack(request)) {
    return continueWrite(put, context, request, reply);
  }
  const body = reply.body;
  WRITE_OUT.set.size(body, 0, put);
  WRITE_OUT.set.padding(body, 0, 0);
  reply.ok(WRITE_OUT.size);
}

/** Writes with the lock held exclusively, after growing the image if needed. */
async function writeExclusive(
  context: ExportContext,
  request: Request,
  reply: Reply,
  offset: number,
  size: number,
): Promise<void> {
  const { backend, state, rules } = context;
  const end = offset + size;
  if (end > Number.MAX_SAFE_INTEGER) return reply.error(ERRNO.EFBIG);
  let put = 0;
  await state.lock.lock();
  try {
    if (state.readOnly) return reply.error(ERRNO.EACCES);
    const before = state.size;
    if (end > before && size > 0 && rules.growable) {
      const result = await resizeLocked(context, end);
      if (result !== 0) return replyError(reply, result);
    }
    const fits = state.size - offset;
    if (fits <= 0 && size > 0) return reply.error(ERRNO.ENOSPC);
    const length = Math.max(0, Math.min(size, fits));
    try {
      put = await backend.write(offset, request.data, 0, length);
    } finally {
      // What was not written must not be there as zeroes.
      const kept = Math.max(before, put > 0 ? offset + put : 0);
      if (kept < state.size) await resizeLocked(context, kept);
    }
  } finally {
    state.lock.unlock();
  }
  await replyWrite(put, context, request, reply);
}
