/**
 * Changes of the image's size, which all queues of an export share.
 *
 * @module
 */
import { ERRNO } from "../base/errno.ts";
import type { Backend } from "../backends/backend.ts";
import type { ExportContext, ExportRules } from "./export_context.ts";

/** Written where a backend cannot zero a range by itself. */
const ZEROES = new Uint8Array(65536);

/** Whether programs may change the size of the image. */
export function mayResize({ growable, truncate }: ExportRules): boolean {
  return growable || truncate === "as-qemu";
}

/** Whether SETATTR may set the size: changing it, or zeroing what it cuts off. */
export function maySetSize(
  { rules, state }: ExportContext,
  size: number,
): boolean {
  if (size === state.size || mayResize(rules)) return true;
  return rules.truncate === "zero" && size < state.size;
}

/**
 * Sets the size for SETATTR, as the rules of the export have it.
 *
 * @returns 0 or a negated errno.
 */
export async function setImageSize(
  context: ExportContext,
  size: number,
): Promise<number> {
  if (size === context.state.size) return 0;
  if (mayResize(context.rules)) return await resizeImage(context, size);
  const { lock } = context.state;
  await lock.lock();
  try {
    return await zeroFrom(context, size);
  } finally {
    lock.unlock();
  }
}

/** Zeroes everything from a position on. Caller holds the lock exclusively. */
async function zeroFrom(
  context: ExportContext,
  position: number,
): Promise<number> {
  const { backend, state } = context;
  if (!maySetSize(context, position)) return -ERRNO.EPERM;
  if (state.readOnly) return -ERRNO.EACCES;
  const length = state.size - position;
  if (length === 0) return 0;
  try {
    const result = await zeroRange(backend, position, length);
    if (result >= 0) state.written();
    return result;
  } finally {
    // After an error as well, because a part may have been zeroed.
    context.onZeroed?.();
  }
}

/** Frees the space of a range, or writes zeroes if the medium cannot do that. */
async function zeroRange(
  backend: Backend,
  position: number,
  length: number,
): Promise<number> {
  for (const unmap of [true, false]) {
    const result = await backend.zero(position, length, { unmap });
    if (result !== -ERRNO.EOPNOTSUPP) return result;
  }
  for (let done = 0; done < length;) {
    const rest = Math.min(ZEROES.length, length - done);
    const put = await backend.write(position + done, ZEROES, 0, rest);
    if (!(put > 0)) return put < 0 ? put : -ERRNO.EIO;
    done += put;
  }
  return 0;
}

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
