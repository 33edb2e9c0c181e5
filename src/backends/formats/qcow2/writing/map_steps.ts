import type { Mapping } from "../../../mapped/mapping.ts";
import { SliceBuffer } from "../../../mapped/slice_buffer.ts";
import type { Qcow2Sources } from "../qcow2_sources.ts";
import { ERRNO } from "../../../../base/errno.ts";
import { fully, type Soon, type Steps, stepsOf } from "./steps.ts";

/**
 * Maps the start of a range of the disk, and reads the L2 slice if it is not
 * cached. The caller is in an epoch.
 *
 * @returns 0, or a negated errno if the slice cannot be read.
 */
export function mapSteps(
  sources: Qcow2Sources,
  position: number,
  length: number,
  mapping: Mapping,
): Soon {
  return sources.lookup.map(position, length, mapping)
    ? 0
    : readAndMap(sources, position, length, mapping);
}

function* readAndMap(
  { lookup, file, geometry }: Qcow2Sources,
  position: number,
  length: number,
  mapping: Mapping,
): Steps {
  const slice = new SliceBuffer(geometry.sliceSize);
  do {
    lookup.prepare(position, slice);
    const { bytes, host } = slice;
    const read = (done: number) =>
      file.read(host + done, bytes, done, bytes.length - done);
    const error = yield* stepsOf(fully(read, bytes.length, -ERRNO.EIO));
    if (error < 0) return error;
    if (lookup.mapRead(slice, position, length, mapping)) break;
  } while (!lookup.map(position, length, mapping));
  return 0;
}
