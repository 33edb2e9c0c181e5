import { errnoName } from "../base/errno.ts";
import { errnoOf } from "../base/errno_of.ts";
import type { OpenImage } from "../backends/open_image.ts";

/** How long the storage may take before the user is told, in milliseconds. */
const SILENT_MS = 2000;

/**
 * Flushes an image for the last time, at the end of its export, and says so if
 * that takes long.
 *
 * @returns A sentence if that fails, or if no program was told of an earlier
 * failure; else `null`.
 */
export async function lastFlush(
  image: Pick<OpenImage, "backend" | "name" | "syncErrors">,
  { notice }: { readonly notice: (text: string) => void },
): Promise<string | null> {
  const { name, syncErrors } = image;
  const unseen = syncErrors.allSeen ? 0 : syncErrors.errno;
  const told = setTimeout(() => {
    notice(
      `Waiting for ${name}: its storage has not yet answered the last flush; another signal ends the export without it`,
    );
  }, SILENT_MS);
  const errno = await flushErrno(image).finally(() => clearTimeout(told));
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
  const { count } = syncErrors;
  try {
    const flushed = await syncErrors.flushSince(backend, count);
    if (flushed >= 0) return 0;
    // The count has the error itself, where the call lost it.
    const errno = syncErrors.count === count ? -flushed : syncErrors.errno;
    return errnoOf({ errno });
  } catch (error) {
    return errnoOf(error);
  }
}
