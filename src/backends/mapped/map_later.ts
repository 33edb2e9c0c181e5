import { ERRNO } from "../../base/errno.ts";
import type { Mapping } from "./mapping.ts";
import { readFully } from "../read_fully.ts";
import type { ReadSources } from "./read_sources.ts";
import { SliceBuffer } from "./slice_buffer.ts";

/**
 * Maps the start of a range of the disk, and reads the part of a table if it is
 * not cached: for everything but reads, which allocate nothing.
 *
 * @param from The image.
 * @param position Where the range starts.
 * @param length Its length.
 * @param mapping Takes the result.
 * @returns 0, or `-errno` if the table cannot be read.
 */
export async function mapLater(
  { lookup, files, sliceSize }: ReadSources,
  position: number,
  length: number,
  mapping: Mapping,
): Promise<number> {
  if (lookup.map(position, length, mapping)) return 0;
  const slice = new SliceBuffer(sliceSize);
  do {
    lookup.prepare(position, slice);
    const { bytes, host } = slice;
    const { backend } = files[slice.file]!;
    const got = await readFully(backend, host, bytes, 0, bytes.length);
    if (got < bytes.length) return got < 0 ? got : -ERRNO.EIO;
    if (lookup.mapRead(slice, position, length, mapping)) break;
  } while (!lookup.map(position, length, mapping));
  return 0;
}
