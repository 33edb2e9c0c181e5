import { ERRNO } from "../../../../base/errno.ts";
import { INCOMPATIBLE } from "../constants.ts";
import { writeIncompatible } from "../feature_bits.ts";
import type { Steps } from "./steps.ts";
import type { WritableParts } from "./writable_parts.ts";
import { DIRTY_BIT } from "./write_state.ts";

/**
 * Marks an image as corrupt, so that other programs do not write to it before it
 * was repaired. An image of version 2 has no such mark.
 *
 * @returns 0 or a negated errno.
 */
export function* markCorrupt(
  image: WritableParts,
): Steps {
  const { state: { flush }, tableFile: { file }, geometry } = image;
  if (geometry.version === 2) return 0;
  yield flush.lock();
  try {
    const error = yield writeIncompatible(file, featuresOf(image));
    return error < 0 ? error : yield file.flush();
  } finally {
    flush.unlock();
  }
}

/** The incompatible features that the header is to have. */
export function featuresOf({ state, incompatible }: WritableParts): bigint {
  const isClear = state.get("DIRTY_BIT") === DIRTY_BIT.CLEAR;
  const dirty = isClear ? 0n : INCOMPATIBLE.DIRTY;
  return incompatible | dirty | (state.isDamaged ? INCOMPATIBLE.CORRUPT : 0n);
}

/** Notes that a cluster in use has refcount 0; returns the errno for it. */
export function badRefcounts({ damage }: WritableParts): number {
  damage.found("its refcount of a cluster that has a table");
  return -ERRNO.EIO;
}
