/**
 * What the errors of read(2) on /dev/fuse mean for a queue.
 *
 * @module
 */
import { ERRNO, errnoName } from "../base/errno.ts";
import type { QueueEnd } from "./request_queue.ts";

/**
 * Requests that a queue may lose while the connection ends: far more than are
 * read in the microseconds that this takes.
 */
const LOST_MAX = 1000;

/** The errors of one queue. */
export class ReadErrors {
  #lost = 0;

  /** Whether a read(2) that failed is to be repeated. */
  isRepeated(errno: number): boolean {
    // The request was withdrawn while it was being copied.
    if (errno === ERRNO.ENOENT || errno === ERRNO.EINTR) return true;
    //= fs/fuse/dev.c fuse_dev_do_read(): this is also how a request is lost that
    //= is read while an unmount ends the connection. Afterwards, each read(2)
    //= tells what has ended it.
    return errno === ERRNO.ECONNABORTED && this.#lost++ < LOST_MAX;
  }
}

/**
 * How a queue ends by an error that is not repeated.
 *
 * @returns `null` if it goes on, because there was just no request.
 */
export function endOfError(errno: number): QueueEnd | null {
  switch (errno) {
    case ERRNO.EAGAIN:
      return null;
    case ERRNO.ENODEV:
      return { reason: "unmounted", message: "The mount has gone" };
    case ERRNO.ECONNABORTED:
      return { reason: "aborted", message: "The connection was aborted" };
    default:
      return {
        reason: "failed",
        message: `Cannot read /dev/fuse: ${errnoName(errno)}`,
      };
  }
}
