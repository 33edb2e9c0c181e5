/**
 * What each range of an image is made of, as 'qemu-img map' prints it.
 *
 * @module
 */
import type { Answer, Backend } from "./backend.ts";
import { sectorEnd } from "./size.ts";

/** A range of an image. */
export interface ImageRange {
  /** Where it starts in the image, in bytes. */
  readonly start: number;
  /** Its length in bytes. */
  readonly length: number;
  /** How many images down the chain it comes from; 0 is the image itself. */
  readonly depth: number;
  /** Whether some image of the chain has an entry for it. */
  readonly present: boolean;
  /** Whether it reads as zeroes. */
  readonly zero: boolean;
  /** Whether its bytes are stored. */
  readonly data: boolean;
  /** Whether they are compressed. */
  readonly compressed: boolean;
  /** Where they are in their file, in bytes; `null` if that is no one place. */
  readonly offset: number | null;
}

/** A backend that knows what its ranges are made of. */
export interface MappedBackend extends Backend {
  /** The range that starts at a position of the image. */
  rangeAt(position: number): Answer<ImageRange>;
}

/** The range at a position of any image, by its extents if it has no map. */
export async function rangeAt(
  image: Backend,
  position: number,
): Promise<ImageRange> {
  if ("rangeAt" in image) {
    return await (image as MappedBackend).rangeAt(position);
  }
  const { size } = await image.stat();
  const isAfter = position >= size;
  const { data, end } = isAfter
    ? { data: false, end: Infinity }
    : await image.extent(position);
  return {
    start: position,
    length: Math.min(end, isAfter ? sectorEnd(size) : size) - position,
    depth: 0,
    present: true,
    zero: !data,
    data,
    compressed: false,
    offset: position,
  };
}

/** All ranges of an image, in order; neighbours that are alike are one. */
export async function* mapImage(image: Backend): AsyncGenerator<ImageRange> {
  const { size } = await image.stat();
  let last = null as ImageRange | null;
  for (let at = 0; at < size;) {
    const next = await rangeAt(image, at);
    at += next.length;
    if (last === null) {
      last = next;
    } else if (isContinued(last, next)) {
      last = { ...last, length: last.length + next.length };
    } else {
      yield last;
      last = next;
    }
  }
  if (last !== null) yield last;
}

function isContinued(first: ImageRange, next: ImageRange): boolean {
  const follows = first.offset === null
    ? next.offset === null
    : next.offset === first.offset + first.length;
  return follows && first.depth === next.depth && first.zero === next.zero &&
    first.present === next.present && first.data === next.data &&
    first.compressed === next.compressed;
}
