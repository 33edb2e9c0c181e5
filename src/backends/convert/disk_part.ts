/**
 * The parts in which a disk is copied.
 *
 * @module
 */
import type { Backend } from "../backend.ts";

/** A range of a disk, in bytes. */
export interface DiskRange {
  readonly start: number;
  /** The position after its last byte. */
  readonly end: number;
}

/** Ranges that one thread copies at once, in order. Plain data. */
export type DiskPart = readonly DiskRange[];

/** How a disk is divided. */
export interface Division {
  /** The size of the disk in bytes. */
  readonly size: number;
  /** Ranges begin and end at multiples of it, or at the end of the disk. */
  readonly unit: number;
  /** Bytes of a part at most; a multiple of `unit`. */
  readonly partSize: number;
}

/**
 * The ranges in which one of some images has data; all others read as zeroes in
 * each of them.
 *
 * @param images The images; what lies after the end of one is a hole.
 */
export function dataRanges(
  images: readonly Backend[],
  division: Division,
): AsyncGenerator<DiskRange, void> {
  return roundedRanges(extentsOf(images, division.size), division);
}

/** Ranges in order, rounded to units; those that touch become one. */
export async function* roundedRanges(
  ranges: AsyncIterable<DiskRange>,
  { size, unit }: Division,
): AsyncGenerator<DiskRange, void> {
  let last = null as DiskRange | null;
  for await (const range of ranges) {
    const start = Math.floor(range.start / unit) * unit;
    const end = Math.min(Math.ceil(range.end / unit) * unit, size);
    if (last !== null && start <= last.end) {
      last = { start: last.start, end: Math.max(last.end, end) };
    } else {
      if (last !== null) yield last;
      last = { start, end };
    }
  }
  if (last !== null) yield last;
}

async function* extentsOf(
  images: readonly Backend[],
  size: number,
): AsyncGenerator<DiskRange, void> {
  const sizes = await Promise.all(
    images.map(async (image) => (await image.stat()).size),
  );
  for (let at = 0; at < size;) {
    let end = size;
    let hasData = false;
    for (const [i, image] of images.entries()) {
      if (at >= sizes[i]!) continue;
      const extent = await image.extent(at);
      hasData ||= extent.data;
      end = Math.min(end, extent.end, sizes[i]!);
    }
    if (hasData) yield { start: at, end };
    at = end;
  }
}

/** Divides ranges into parts, in order. */
export async function* partsOf(
  ranges: AsyncIterable<DiskRange> | Iterable<DiskRange>,
  { partSize }: Division,
): AsyncGenerator<DiskPart, void> {
  let part: DiskRange[] = [];
  let room = partSize;
  for await (const range of ranges) {
    for (let start = range.start; start < range.end;) {
      const end = Math.min(start + room, range.end);
      part.push({ start, end });
      room -= end - start;
      start = end;
      if (room > 0) continue;
      yield part;
      part = [];
      room = partSize;
    }
  }
  if (part.length > 0) yield part;
}

/** The bytes of ranges. */
export function bytesOfPart(part: DiskPart): number {
  return part.reduce((sum, { start, end }) => sum + end - start, 0);
}
