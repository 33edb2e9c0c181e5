import { errnoName } from "../base/errno.ts";
import { errnoOf } from "../base/errno_of.ts";
import type { OpenImage } from "../backends/open_image.ts";

/**
 * Flushes an image for the last time, at the end of its export.
 *
 * @returns A sentence if that fails, or if no program was told of an earlier
 * failure; else `null`.
 */
export async function lastFlush(
  image: Pick<OpenImage, "backend" | "name" | "syncErrors">,
): Promise<string | null> {
  const { name, syncErrors } = image;
  const unseen = syncErrors.allSeen ? 0 : syncErrors.errno;
  const errno = await flushErrno(image);
  if (errno !== 0) {
    return `Cannot flush ${name} at the end: its storage failed (${
      errnoName(errno)
    }); check the storage, and what was written last`;
  }
  if (unseen === 0) return null;
  return `Cannot keep all that was written to ${name}: its storage failed (${
    errnoName(errnoOf({ errno: unseen }))
  }) at a flush, and no program was told of it; check the storage, and what was written last`;
}

/** Flushes; returns a positive error number, or 0. */
async function flushErrno(
  { backend, syncErrors }: Pick<OpenImage, "backend" | "syncErrors">,
): Promise<number> {
  try {
    const flushed = await syncErrors.flushSince(backend, syncErrors.count);
    return flushed >= 0 ? 0 : errnoOf({ errno: -flushed });
  } catch (error) {
    return errnoOf(error);
  }
}
