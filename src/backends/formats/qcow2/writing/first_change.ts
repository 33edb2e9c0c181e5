import { ERRNO } from "../../../../base/errno.ts";
import { writeAutoclear } from "../feature_bits.ts";
import type { Steps } from "./steps.ts";
import type { WritableParts } from "./writable_parts.ts";

/**
 * Notes in the header that data change, durably, before the first change: bitmaps
 * do not tell of it. QEMU too leaves them valid in an image that it opened for
 * writing and did not change.
 *
 * @returns 0 or a negated errno.
 */
export function* noteFirstChange(
  { state, tableFile: { file }, autoclear }: WritableParts,
): Steps {
  yield state.flush.lock();
  try {
    if (!state.isUnchanged) return state.refusesChanges ? -ERRNO.EIO : 0;
    let error = yield writeAutoclear(file, autoclear);
    if (error >= 0) error = yield file.flush();
    if (error >= 0) state.setChanged();
    return error;
  } finally {
    state.flush.unlock();
  }
}
