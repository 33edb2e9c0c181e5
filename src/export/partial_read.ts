/**
 * READ of a range that the backend can read in part only, because a bad sector
 * or the end of the image lies within it.
 *
 * @module
 */
import { accessors } from "../protocol/accessors.ts";
import { ERRNO } from "../base/errno.ts";
import { FUSE_READ } from "../protocol/flags.ts";
import type { Reply } from "../protocol/reply.ts";
import type { Request } from "../protocol/request.ts";
import type { ExportContext } from "./export_context.ts";
import { replyError } from "./reply_result.ts";

const READ_IN = accessors("fuse_read_in");

/**
 * Completes a READ whose bytes did not all come: reads on where they stopped,
 * because only that tells an error from the end of the image.
 *
 * - An error after some bytes: a direct read gets these bytes, as pread(2) on a
 *   block device does. A read into the kernel's page cache gets the error,
 *   because the kernel would take fewer bytes for the end of the file and fill
 *   the pages with zeroes (`fuse_short_read()`); it repeats the read page by
 *   page.
 * - The end of the image before that of the export, because another program has
 *   truncated the image: EIO, as from a device that has lost its end.
 *
 * @param got What the backend returned: fewer bytes than the request and the
 * size of the image allow, or a negated errno.
 */
export function continueRead(
  got: number,
  context: ExportContext,
  request: Request,
  reply: Reply,
): void | Promise<void> {
  if (!(got >= 0)) return replyError(reply, got);
  return readOn(got, context, request, reply);
}

async function readOn(
  got: number,
  { backend, state }: ExportContext,
  request: Request,
  reply: Reply,
): Promise<void> {
  const offset = READ_IN.number.offset(request.body);
  const size = READ_IN.get.size(request.body);
  const fitting = () => Math.max(0, Math.min(size, state.size - offset));
  let done = got;
  let error = 0;
  let sharesLock = false;
  try {
    for (let left; error === 0 && (left = fitting() - done) > 0;) {
      const more = await backend.read(offset + done, reply.data, done, left);
      if (more > 0) {
        done += more;
      } else if (more !== 0 || sharesLock) {
        error = more || -ERRNO.EIO;
      } else {
        // The size may be changing; while the lock is shared it does not.
        await state.lock.share();
        sharesLock = true;
      }
    }
  } catch (thrown) {
    // Reported when the client reads on and nothing precedes it.
    if (done === 0 || !isDirect(request)) throw thrown;
    error = -ERRNO.EIO;
  } finally {
    if (sharesLock) state.lock.unshare();
  }
  if (error === 0) reply.ok(Math.min(done, fitting()));
  else if (done > 0 && isDirect(request)) reply.ok(done);
  else replyError(reply, error);
}

/** Whether the bytes go to a program's memory and not to the page cache. */
//= fs/fuse/file.c fuse_send_read(): only direct reads have a lock owner.
function isDirect(request: Request): boolean {
  return (READ_IN.get.read_flags(request.body) & FUSE_READ.LOCKOWNER) !== 0;
}
