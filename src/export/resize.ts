import { ERRNO } from "../base/errno.ts";
import type { ExportContext } from "./export_context.ts";

/**
 * Changes the image's size; whoever calls has the lock alone.
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
 * Changes the image's size once nobody writes to it.
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
