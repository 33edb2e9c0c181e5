/**
 * Changes of the image's size, which all queues of an export share.
 *
 * @module
 */
import { ERRNO } from "../base/errno.ts";
import type { ExportContext } from "./export_context.ts";

/**
 * Changes the image's size. Caller holds the lock exclusively.
 *
 * @returns 0 or a negated errno.
 */
export async function resizeLocked(
  { backend, state }: ExportContext,
  size: number,
): Promise<number> {
  if (state.readOnly) return -ERRNO.EACCES;
  if (size === state.size) return 0;
  const result = await backend.truncate(size);
  if (!(result >= 0)) return result;
  state.size = size;
  state.written();
  return 0;
}

/**
 * Takes the lock exclusively and changes the image's size.
 *
 * @returns 0 or a negated errno.
 */
export async function resizeImage(
  context: ExportContext,
  size: number,
): Promise<number> {
  const { lock } = context.state;
  await lock.lock();
  try {
    return await resizeLocked(context, size);
  } finally {
    lock.unlock();
  }
}

/**
 * Updates the shared size from an image that the kernel writes to by itself.
 * The kernel holds the inode's lock during changes of size and during
 * passthrough writes, so no passthrough write changes the size meanwhile.
 */
export async function followImage(
  { backend, state }: ExportContext,
): Promise<void> {
  await state.lock.lock();
  try {
    const { size } = await backend.stat();
    if (size !== state.size) state.size = size;
  } finally {
    state.lock.unlock();
  }
}

/**
 * Takes the lock back from the thread of a queue that has ended, which may have
 * died during a write. If it died during a change of the size, the image tells
 * which size it has now.
 *
 * @throws {Error} If the backend's `stat()` fails; the size then stays.
 */
export async function reclaimLock(
  { backend, state }: Pick<ExportContext, "backend" | "state">,
  queue: number,
): Promise<void> {
  if (!state.revokeLock(queue)) return;
  try {
    const { size } = await backend.stat();
    state.size = size;
  } finally {
    state.lock.unlock();
  }
}
