/**
 * A WRITE from the page cache (FUSE_WRITE_CACHE) whose bytes were not all
 * written.
 *
 * @module
 */
import { ERRNO } from "../base/errno.ts";
import { accessors } from "../protocol/accessors.ts";
import { FUSE_WRITE } from "../protocol/flags.ts";
import type { Reply } from "../protocol/reply.ts";
import type { Request } from "../protocol/request.ts";
import type { ExportContext } from "./export_context.ts";
import { replyError } from "./reply_result.ts";

const WRITE_IN = accessors("fuse_write_in");
const WRITE_OUT = accessors("fuse_write_out");

/** Whether a WRITE comes from the page cache. */
export function isWriteBack({ body }: Request): boolean {
  return (WRITE_IN.get.write_flags(body) & FUSE_WRITE.CACHE) !== 0;
}

/**
 * Writes the rest of a WRITE from the page cache, up to an error. The kernel
 * considers all of it written, whatever count the reply gives, because
 * `fuse_writepage_end()` of fs/fuse/file.c looks at the error only. So the error
 * that ended a short write must be found; otherwise bytes would be lost without
 * an error.
 *
 * @param done The bytes that have been written.
 */
export async function continueWrite(
  done: number,
  { backend, state }: ExportContext,
  request: Request,
  reply: Reply,
): Promise<void> {
  const offset = WRITE_IN.number.offset(request.body);
  const size = WRITE_IN.get.size(request.body);
  // Exclusively, because some backends need that for the end of an image.
  await state.lock.lock();
  try {
    while (done < size) {
      if (state.readOnly) return reply.error(ERRNO.EACCES);
      const at = offset + done;
      const length = Math.min(size - done, state.size - at);
      if (length <= 0) return reply.error(ERRNO.ENOSPC);
      const put = await backend.write(at, request.data, done, length);
      if (put < 0) return replyError(reply, put);
      if (put === 0) return reply.error(ERRNO.ENOSPC);
      done += put;
    }
  } finally {
    state.lock.unlock();
  }
  WRITE_OUT.set.size(reply.body, 0, size);
  WRITE_OUT.set.padding(reply.body, 0, 0);
  reply.ok(WRITE_OUT.size);
}
