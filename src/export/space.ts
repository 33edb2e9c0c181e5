/**
 * FALLOCATE, LSEEK and STATFS: the space that the image takes on its medium.
 *
 * @module
 */
import type { Answer, Backend } from "../backends/backend.ts";
import { accessors } from "../protocol/accessors.ts";
import { ERRNO } from "../base/errno.ts";
import { NAME_MAX } from "../base/limits.ts";
import { FALLOC_FL, SEEK } from "../base/file_flags.ts";
import type { Reply } from "../protocol/reply.ts";
import type { Request } from "../protocol/request.ts";
import type { ExportContext } from "./export_context.ts";
import { replyError, replyResult } from "./reply_result.ts";
import { mayResize, resizeLocked } from "./image_size.ts";

const FALLOCATE_IN = accessors("fuse_fallocate_in");
const LSEEK_IN = accessors("fuse_lseek_in");
const LSEEK_OUT = accessors("fuse_lseek_out");
const KSTATFS = accessors("fuse_kstatfs");
const STATFS_OUT = accessors("fuse_statfs_out");
const STATFS_BLOCK = 4096;

/** Answers FALLOCATE: reserves space, punches holes, zeroes ranges. */
export async function allocateSpace(
  context: ExportContext,
  request: Request,
  reply: Reply,
): Promise<void> {
  const { state, rules } = context;
  const offset = FALLOCATE_IN.number.offset(request.body);
  const length = FALLOCATE_IN.number.length(request.body);
  const mode = FALLOCATE_IN.get.mode(request.body);
  if (!rules.writable) return reply.error(ERRNO.EACCES);
  if (length === 0) return reply.error(ERRNO.EINVAL);
  if (offset + length > Number.MAX_SAFE_INTEGER) {
    return reply.error(ERRNO.EFBIG);
  }
  await state.lock.lock();
  let result;
  try {
    result = await allocateLocked(context, offset, length, mode);
  } finally {
    state.lock.unlock();
  }
  replyResult(reply, result);
}

async function allocateLocked(
  context: ExportContext,
  offset: number,
  length: number,
  mode: number,
): Promise<number> {
  const { backend, state, rules } = context;
  if (state.readOnly) return -ERRNO.EACCES;
  const { KEEP_SIZE, PUNCH_HOLE, ZERO_RANGE } = FALLOC_FL;
  const end = offset + length;
  const kept = Math.max(0, Math.min(end, state.size) - offset);
  switch (mode) {
    case 0:
      return await growing(
        context,
        end,
        () => backend.allocate(offset, length),
      );
    case KEEP_SIZE:
      // A backend reserves inside the image only, and an image of fixed size
      // needs no more.
      if (rules.growable && kept < length) return -ERRNO.EOPNOTSUPP;
      return kept === 0 ? 0 : await backend.allocate(offset, kept);
    case PUNCH_HOLE:
      return -ERRNO.EINVAL;
    case PUNCH_HOLE | KEEP_SIZE:
      return await zero(context, offset, kept, true);
    case ZERO_RANGE | KEEP_SIZE:
      return await zero(context, offset, kept, false);
    case ZERO_RANGE:
      return await growing(
        context,
        end,
        () => zero(context, offset, length, false),
      );
    default:
      return -ERRNO.EOPNOTSUPP;
  }
}

/**
 * Grows the image to the end of a range, then does the rest; undoes the growth
 * if that fails.
 */
async function growing(
  context: ExportContext,
  end: number,
  rest: () => Answer,
): Promise<number> {
  const old = context.state.size;
  if (end <= old) return await rest();
  if (!mayResize(context.rules)) return -ERRNO.EPERM;
  const grown = await resizeLocked(context, end);
  if (grown !== 0) return grown;
  let result = -1;
  try {
    return result = await rest();
  } finally {
    if (!(result >= 0)) await resizeLocked(context, old);
  }
}

async function zero(
  { backend, state }: ExportContext,
  offset: number,
  length: number,
  unmap: boolean,
): Promise<number> {
  if (length === 0) return 0;
  const result = await backend.zero(offset, length, { unmap });
  if (result >= 0) state.written();
  return result;
}

/** Answers LSEEK for SEEK_DATA and SEEK_HOLE; the kernel does the rest. */
export async function seekSpace(
  { backend, state }: ExportContext,
  request: Request,
  reply: Reply,
): Promise<void> {
  const offset = LSEEK_IN.number.offset(request.body);
  const whence = LSEEK_IN.get.whence(request.body);
  if (whence !== SEEK.DATA && whence !== SEEK.HOLE) {
    return reply.error(ERRNO.EINVAL);
  }
  const found = await seek(backend, state.size, offset, whence === SEEK.DATA);
  if (found < 0) return replyError(reply, found);
  LSEEK_OUT.setNumber.offset(reply.zeroed(LSEEK_OUT.size), 0, found);
  reply.ok(LSEEK_OUT.size);
}

async function seek(
  backend: Backend,
  size: number,
  offset: number,
  data: boolean,
): Promise<number> {
  //= fs/iomap/seek.c iomap_seek_hole(): there is no hole at the end.
  if (offset >= size) return -ERRNO.ENXIO;
  let at = offset;
  while (at < size) {
    const extent = await backend.extent(at);
    if (extent.data === data) return at;
    // A defective backend would keep this thread in the loop forever.
    if (!(extent.end > at)) return -ERRNO.EIO;
    at = extent.end;
  }
  // A file ends with a hole.
  return data ? -ERRNO.ENXIO : size;
}

/**
 * Answers STATFS: a file system as large as the image. It has no table of inodes
 * that could become full: 0 of 0, as of btrfs and vfat.
 */
export async function replyStatfs(
  { backend, state }: ExportContext,
  reply: Reply,
): Promise<void> {
  const { allocated } = await backend.stat();
  const size = state.size;
  const blocks = Math.ceil(size / STATFS_BLOCK);
  const used = Math.ceil(Math.min(allocated ?? size, size) / STATFS_BLOCK);
  const body = reply.zeroed(STATFS_OUT.size);
  KSTATFS.setNumber.blocks(body, 0, blocks);
  KSTATFS.setNumber.bfree(body, 0, blocks - used);
  KSTATFS.setNumber.bavail(body, 0, blocks - used);
  KSTATFS.set.bsize(body, 0, STATFS_BLOCK);
  KSTATFS.set.frsize(body, 0, STATFS_BLOCK);
  KSTATFS.set.namelen(body, 0, NAME_MAX);
  reply.ok(STATFS_OUT.size);
}
