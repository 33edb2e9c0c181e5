import type { Epochs } from "./epochs.ts";
import { type Steps, stepsOf } from "./steps.ts";
import { NO_ROOM } from "./table_file.ts";
import type { WritableParts } from "./writable_parts.ts";

/** Clusters that are given back under one hold of the lock. */
const PART = 1024;

/**
 * Gives clusters back that no table refers to, durably, and that no request can
 * still use: punches them, then lets their refcounts go down. The flush lock is
 * held.
 *
 * @param writeRefcounts Makes room in the cache of refcounts.
 * @returns 0 or a negated errno.
 */
export function* giveBack(
  image: WritableParts,
  writeRefcounts: () => Steps,
): Steps {
  const { state: { freed, epochs, tables } } = image;
  for (;;) {
    yield tables.lock();
    const range = freed.peek();
    const isOver = range !== null && mayReuse(epochs, range.epoch);
    if (isOver) freed.shift();
    tables.unlock();
    if (range === null || !isOver) return 0;
    const end = range.first + range.count;
    for (let at = range.first; at < end;) {
      const done = yield* giveSome(image, at, Math.min(PART, end - at));
      if (done === NO_ROOM) {
        const error = yield* writeRefcounts();
        if (error < 0) return error;
      } else if (done < 0) {
        return done;
      } else {
        at += done;
      }
    }
  }
}

function mayReuse(epochs: Epochs, epoch: number): boolean {
  while (!epochs.isOver(epoch)) if (!epochs.tryAdvance()) return false;
  return true;
}

/** Gives back some clusters; returns how many, or a negative number. */
function* giveSome(
  image: WritableParts,
  first: number,
  most: number,
): Steps {
  const { state: { tables }, tableFile, geometry: { clusterSize } } = image;
  yield tables.lock();
  let run;
  try {
    run = yield* lowerOrFind(image, first, most);
  } finally {
    tables.unlock();
  }
  // A reference to a cluster that has others was given back.
  if (run <= 0) return run === 0 ? 1 : run;
  const position = first * clusterSize;
  // If the space cannot be freed, it is used again all the same.
  yield tableFile.file.zero(position, run * clusterSize, { unmap: true });
  yield tables.lock();
  try {
    for (let done = 0; done < run; done++) {
      image.tables.remove(first + done);
      const error = yield* stepsOf(image.refcounts.set(first + done, 0));
      if (error < 0) return done > 0 ? done : error;
    }
  } finally {
    tables.unlock();
  }
  return run;
}

/**
 * Lowers the refcount of a cluster if it has several references.
 *
 * @returns 0, or how many clusters from this one on have one reference, or a
 * negative number.
 */
function* lowerOrFind(
  { refcounts }: WritableParts,
  first: number,
  most: number,
): Steps {
  for (let run = 0; run < most; run++) {
    const refcount = yield* refcounts.get(first + run);
    if (refcount === 1) continue;
    if (run > 0) return run;
    if (refcount <= 1) return refcount;
    return yield* stepsOf(refcounts.set(first, refcount - 1));
  }
  return most;
}
