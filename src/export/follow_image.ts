import type { ExportContext } from "./export_context.ts";

/**
 * Has the size that all queues know follow an image that the kernel writes to
 * by itself. The kernel holds the inode's lock over changes of size and
 * passthrough writes alike, so that none comes between this and those.
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
