/**
 * Numbers of VMDK images (VMware's "Virtual Disk Format 5.0", and QEMU's
 * block/vmdk.c for those of ESX), and the limits within which this program reads
 * them.
 *
 * @module
 */

/** The unit of sizes and positions in headers and tables. */
export const SECTOR = 512;

/** The first four bytes of a sparse extent, as a number: "KDMV". */
export const SPARSE_MAGIC = 0x564d_444b;
/** The same of a sparse extent of ESX: "COWD". */
export const COWD_MAGIC = 0x4457_4f43;
/** The same of an extent in the format of ESX 6.5, which is not supported. */
export const SESPARSE_MAGIC = 0xcafe_babe;

/** How a descriptor starts. */
export const DESCRIPTOR_START = /^# *Disk *Descriptor *File/i;

/** Bits of a sparse extent's `flags`. */
export const FLAG = {
  /** The bytes that show a transfer as text count. */
  NEWLINES: 1,
  /** There is a second grain directory. */
  REDUNDANT: 1 << 1,
  /** An entry of 1 is a grain of zeroes. */
  ZERO_GRAINS: 1 << 2,
  /** Grains are compressed. */
  COMPRESSED: 1 << 16,
  /** Each compressed grain and each table has a marker before it. */
  MARKERS: 1 << 17,
} as const;

/** `gdOffset` of an extent whose grain directory is told by its footer. */
export const GD_AT_END = 2n ** 64n - 1n;

/** Types of markers. */
export const MARKER = { END: 0, FOOTER: 3 } as const;
/** Bytes of a marker before the stream of a grain. */
export const GRAIN_MARKER = 12;
/** Bytes of the footer: its marker, the header once more, the last marker. */
export const FOOTER_SIZE: number = 3 * SECTOR;

/** `compressAlgorithm` of deflate, in a zlib stream. */
export const DEFLATE = 1;

/** An entry of a grain table that has no place; what is below shows. */
export const NO_GRAIN = 0;
/** An entry of a grain of zeroes, where the flag says so. */
export const ZERO_GRAIN = 1;

/** A parent's CID that stands for none. */
export const NO_PARENT = 0xffff_ffff;

/** Entries of a grain table of ESX. */
export const COWD_ENTRIES = 4096;

/** Bounds of what headers and descriptors may say. */
export const LIMIT = {
  /** Bytes of a grain. */
  GRAIN: 64 << 20,
  /** Bytes of a grain that is compressed, which is held in memory. */
  COMPRESSED_GRAIN: 4 << 20,
  /** Entries of a grain table. */
  TABLE_ENTRIES: 512,
  /** Bytes of all grain directories of a disk. */
  DIRECTORIES: 64 << 20,
  /** Bytes of a descriptor. */
  DESCRIPTOR: 1 << 20,
  /** Extents of a disk. */
  EXTENTS: 1024,
} as const;
