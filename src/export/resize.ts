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
  if (size === state.size) return 0;
  const result = await backend.truncate(size);
  if (!(result >= 0)) return result;
  state.size = size;
  state.written();
  return 0;
}
