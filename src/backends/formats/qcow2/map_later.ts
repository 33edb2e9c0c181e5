import { ERRNO } from "../../../base/errno.ts";
import type { Mapping } from "./mapping.ts";
import { readFully } from "../../read_fully.ts";
import type { ReadSources } from "./read_sources.ts";
import { SliceBuffer } from "./table_lookup.ts";

/**
 * Maps the start of a range of the disk, and reads the L2 slice if it is not
 * cached: for everything but reads, which allocate nothing.
 *
 * @param from The image.
 * @param position Where the range starts.
 * @param length Its length.
 * @param mapping Takes the result.
 * @returns 0, or `-errno` if the slice cannot be read.
 */
export async function mapLater(
  { lookup, file, geometry }: ReadSources,
  position: number,
  length: number,
  mapping: Mapping,
): Promise<number> {
  const slice = new SliceBuffer(geometry);
  while (!lookup.map(position, length, mapping)) {
    lookup.prepare(position, slice);
    const { bytes, host } = slice;
    const got = await readFully(file, host, bytes, 0, bytes.length);
    if (got < bytes.length) return got < 0 ? got : -ERRNO.EIO;
    if (lookup.mapRead(slice, position, length, mapping)) break;
  }
  return 0;
}
