import { PAGE_SIZE } from "../base/limits.ts";
import { UserError } from "../base/user_error.ts";
import { FUSE_ROOT_ID } from "../protocol/flags.ts";
import type { SessionNotifier } from "./session_notifier.ts";

/**
 * Makes the kernel know a size of the exported file that no request of a client
 * has changed, so that libaio and mappings reach the new end at once.
 *
 * Dropping the cached attributes is not enough: until a program stats the file,
 * direct I/O by libaio ends where the file ended before. But data that is
 * stored beyond the end moves the end: `fuse_notify_store()` of fs/fuse/dev.c.
 *
 * Where notifications cannot be sent, nothing happens: programs then see the
 * new size once one of them stats the file.
 *
 * @param notifier Sends the notifications.
 * @param from The old size in bytes.
 * @param to The new size in bytes.
 */
export async function announceSize(
  notifier: Pick<SessionNotifier, "store" | "invalidateInode">,
  from: number,
  to: number,
): Promise<void> {
  try {
    if (to > from) await announceGrowth(notifier, to);
    // Cached pages beyond the new end go too.
    else if (to < from) await notifier.invalidateInode(FUSE_ROOT_ID, to);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
  }
}

/**
 * Makes the kernel know the size of a file that it has just mounted with a
 * write-back cache: it makes the inode with a size of 0, in fuse_get_root_inode()
 * of fs/fuse/inode.c, and ignores the size in the attributes that it fetches.
 * Nothing may be served yet, so that no program sees the page that is stored.
 *
 * @param notifier Sends the notifications.
 * @param size The size in bytes.
 * @throws {UserError} If that is not possible.
 */
export async function announceFirstSize(
  notifier: Pick<SessionNotifier, "store" | "invalidateInode">,
  size: number,
): Promise<void> {
  try {
    await announceGrowth(notifier, size);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(
      `Cannot use a write-back cache: the kernel cannot be told the size of the file (${error.message}); set cache to auto or none`,
      { cause: error },
    );
  }
}

async function announceGrowth(
  notifier: Pick<SessionNotifier, "store" | "invalidateInode">,
  size: number,
): Promise<void> {
  const last = size - 1;
  // New bytes are zeroes. The page is dropped, because it may be incomplete.
  await notifier.store(FUSE_ROOT_ID, last, new Uint8Array(1));
  const page = last - last % PAGE_SIZE;
  await notifier.invalidateInode(FUSE_ROOT_ID, page, PAGE_SIZE);
}
