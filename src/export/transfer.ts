/**
 * READ and WRITE: the hot path of an export. Answers of a backend that come
 * at once are passed on without a promise or an allocation.
 *
 * @module
 */
import { accessors } from "../protocol/accessors.ts";
import { ERRNO } from "../protocol/errno.ts";
import type { Reply } from "../protocol/reply.ts";
import type { Request } from "../protocol/request.ts";
import type { ExportContext } from "./export_context.ts";

const READ_IN = accessors("fuse_read_in");
const WRITE_IN = accessors("fuse_write_in");
const WRITE_OUT = accessors("fuse_write_out");

/** Answers READ; what lies behind the end of the image is not read. */
export function readImage(
  { backend, state }: ExportContext,
  request: Request,
  reply: Reply,
): void | PromiseLike<void> {
  const offset = READ_IN.number.offset(request.body);
  const size = READ_IN.get.size(request.body);
  if (size > reply.data.length) return reply.error(ERRNO.EINVAL);
  const length = Math.min(size, state.size - offset);
  if (length <= 0) return reply.ok(0);
  const got = backend.read(offset, reply.data, length);
  if (typeof got === "number") return finishRead(reply, got, length);
  return got.then((late) => finishRead(reply, late, length));
}

function finishRead(reply: Reply, got: number, length: number): void {
  if (got < 0) return reply.error(-got);
  // An image that somebody else cut short reads as zeroes, as with QEMU.
  if (got < length) reply.data.fill(0, got, length);
  reply.ok(length);
}

/** Answers WRITE; an image that may not grow takes what fits. */
export function writeImage(
  context: ExportContext,
  request: Request,
  reply: Reply,
): void | PromiseLike<void> {
  const { state, rules } = context;
  if (!rules.writable) return reply.error(ERRNO.EACCES);
  const offset = WRITE_IN.number.offset(request.body);
  const size = WRITE_IN.get.size(request.body);
  if (offset + size > Number.MAX_SAFE_INTEGER) {
    return reply.error(ERRNO.EINVAL);
  }
  if (!state.lock.tryShare()) {
    return state.lock.share().then(() =>
      writeShared(context, request, reply, offset, size)
    );
  }
  return writeShared(context, request, reply, offset, size);
}

/** Writes inside the image, the lock being shared. */
function writeShared(
  context: ExportContext,
  request: Request,
  reply: Reply,
  offset: number,
  size: number,
): void | PromiseLike<void> {
  const { state, rules } = context;
  const fits = state.size - offset;
  if (size > fits && rules.growable) {
    state.lock.unshare();
    return writeGrowing(context, request, reply, offset, size);
  }
  const length = Math.max(0, Math.min(size, fits));
  let put;
  try {
    put = length === 0
      ? 0
      : context.backend.write(offset, request.data, length);
  } catch (error) {
    state.lock.unshare();
    throw error;
  }
  if (typeof put === "number") {
    state.lock.unshare();
    return finishWrite(context, reply, put);
  }
  return put.then((late) => {
    state.lock.unshare();
    finishWrite(context, reply, late);
  }, (error) => {
    state.lock.unshare();
    throw error;
  });
}

function finishWrite(
  { state }: ExportContext,
  reply: Reply,
  put: number,
): void {
  if (put < 0) return reply.error(-put);
  if (put > 0) state.written();
  const body = reply.body;
  WRITE_OUT.set.size(body, 0, put);
  WRITE_OUT.set.padding(body, 0, 0);
  reply.ok(WRITE_OUT.size);
}

/** Makes the image larger and writes, with the lock alone. */
async function writeGrowing(
  context: ExportContext,
  request: Request,
  reply: Reply,
  offset: number,
  size: number,
): Promise<void> {
  const { backend, state } = context;
  await state.lock.lock();
  try {
    if (offset + size > state.size) {
      const result = await backend.truncate(offset + size);
      if (result < 0) return reply.error(-result);
      state.size = offset + size;
    }
    const put = await backend.write(offset, request.data, size);
    finishWrite(context, reply, put);
  } finally {
    state.lock.unlock();
  }
}
