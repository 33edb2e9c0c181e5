/**
 * What a range of a disk is made of. A format answers with mappings, and
 * `MappedBackend` moves the bytes.
 *
 * @module
 */

/** Kinds of mappings. */
export const MAPPED = {
  /** Bytes of a file. */
  DATA: 0,
  /** Zeroes. */
  ZERO: 1,
  /** Not in this image: the one below has it, or it is zeroes. */
  UNALLOCATED: 2,
  /** Compressed. */
  COMPRESSED: 3,
  /** The tables make no sense here. */
  CORRUPT: 4,
} as const;

/** One of {@linkcode MAPPED}. */
export type MappingKind = typeof MAPPED[keyof typeof MAPPED];

/** `host` of what is stored nowhere. */
export const NO_HOST = -1;

/** One mapping. Filled in by a look-up, and used again for the next one. */
export class Mapping {
  kind: MappingKind = MAPPED.CORRUPT;
  /** Bytes of the disk that it is valid for. */
  length = 0;
  /** The number of the file that has it, in `ReadSources`. */
  file = 0;
  /**
   * Where the first byte is in the file; of compressed data where the stream
   * starts. Zeroes have a place if a cluster is kept for them.
   */
  host: number = NO_HOST;
  /** Whether no snapshot shares the data: they may be overwritten in place. */
  isOwn = false;
  /** Bytes of the stream of compressed data at most. */
  streamLength = 0;
  /** Where the first byte is in what the stream gives. */
  inBlock = 0;
  /** Bytes that the stream gives. */
  blockLength = 0;

  /** Sets what has no place in the file. */
  setPlaceless(kind: MappingKind, length: number): void {
    this.kind = kind;
    this.length = length;
    this.host = NO_HOST;
    this.isOwn = false;
  }
}
