/**
 * Numbers of the qcow2 format (docs/interop/qcow2.rst of QEMU), and the limits
 * within which this program reads an image.
 *
 * @module
 */

/** `QFI\xfb`, the first four bytes. */
export const QCOW2_MAGIC = 0x51_46_49_fb;

/** Bits of `incompatible_features`: who does not know one must not open it. */
export const INCOMPATIBLE = {
  /** Refcounts may be too low: they are rebuilt before the next change. */
  DIRTY: 1n,
  /** Some table is corrupt: only reading is allowed. */
  CORRUPT: 1n << 1n,
  /** The data are in another file. */
  DATA_FILE: 1n << 2n,
  /** The field `compression_type` counts. */
  COMPRESSION: 1n << 3n,
  /** L2 entries have 16 bytes, with a bitmap of subclusters. */
  EXTENDED_L2: 1n << 4n,
} as const;

/** Bits of `compatible_features`. */
export const COMPATIBLE = {
  /** Refcounts may be written late, after setting the dirty bit. */
  LAZY_REFCOUNTS: 1n,
} as const;

/** Bits of `autoclear_features`: cleared by a writer who does not know them. */
export const AUTOCLEAR = {
  /** The bitmaps agree with the data. */
  BITMAPS: 1n,
  /** The data file is a raw image of the disk. */
  RAW_DATA_FILE: 1n << 1n,
} as const;

/** Types of header extensions. */
export const EXTENSION = {
  END: 0,
  BACKING_FORMAT: 0xe2792aca,
  FEATURE_NAMES: 0x6803f857,
  BITMAPS: 0x23852875,
  ENCRYPTION: 0x0537be77,
  DATA_FILE: 0x44415441,
} as const;

/** Values of `crypt_method`. */
export const CRYPT_METHODS = ["none", "AES", "LUKS"] as const;

/** Bounds of header fields, those of the specification or of QEMU. */
export const LIMIT = {
  /** Clusters of 512 bytes. */
  CLUSTER_BITS_MIN: 9,
  /** Subclusters of 512 bytes. */
  EXTENDED_CLUSTER_BITS_MIN: 14,
  /** Clusters of 2 MiB. */
  CLUSTER_BITS_MAX: 21,
  /** Refcounts of 64 bits. */
  REFCOUNT_ORDER_MAX: 6,
  /** Bytes of a table of L1 entries. */
  L1_BYTES: 32 << 20,
  /** Bytes of the refcount table. */
  REFCOUNT_TABLE_BYTES: 8 << 20,
  /** Internal snapshots. */
  SNAPSHOTS: 65_536,
  /** Bytes of the snapshot table: 1 KiB for each. */
  SNAPSHOT_TABLE_BYTES: 64 << 20,
  /** Bytes of a snapshot's extra data. */
  SNAPSHOT_EXTRA: 1024,
  /** Bytes of the backing file's name. */
  BACKING_NAME: 1023,
  /** Bytes of the data file's name. */
  DATA_FILE_NAME: 4096,
  /** Bytes of a format's name. */
  FORMAT_NAME: 64,
} as const;

/** Bytes of the header of version 2. */
export const HEADER_V2 = 72;
/** The fewest bytes of a header of version 3. */
export const HEADER_V3 = 104;
/** Position of `compression_type`, a byte. */
export const COMPRESSION_TYPE_AT = 104;

/** Subclusters of a cluster. */
export const SUBCLUSTERS = 32;
/** Bytes of a sector, in which compressed clusters are counted. */
export const SECTOR = 512;
