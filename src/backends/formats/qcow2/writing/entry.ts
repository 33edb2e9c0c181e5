import { SIZE_MAX } from "../../../size.ts";
import { SECTOR } from "../constants.ts";
import type { Geometry } from "../geometry.ts";
import type { TableClusters } from "./table_clusters.ts";
import type { WritableParts } from "./writable_parts.ts";

const COPIED = 0x8000_0000;
const COMPRESSED = 0x4000_0000;
const OFFSET_HIGH = 0x00ff_ffff;
const OFFSET_LOW = 0xffff_fe00;
const RESERVED_HIGH = 0x3f00_0000;
const RESERVED_LOW = 0x1fe;
const ZERO = 1;
const TWO_32 = 2 ** 32;
/** Every subcluster. */
export const ALL_SUBCLUSTERS: number = 0xffff_ffff | 0;

/** What a cluster of the disk is, for a writer. */
export const CLUSTER = {
  /** It has no data; what it reads as is below, or zeroes. */
  EMPTY: 0,
  /** A cluster of the file, which only this disk has. */
  OWN: 1,
  /** A cluster of the file that a snapshot may have too. */
  SHARED: 2,
  COMPRESSED: 3,
  CORRUPT: 4,
} as const;

/** An L2 entry, as its words say. */
export class Entry {
  kind: typeof CLUSTER[keyof typeof CLUSTER] = CLUSTER.EMPTY;
  /** Where the cluster, or the compressed stream, starts in the file. */
  host = 0;
  /** Bytes of the stream. */
  streamLength = 0;
  /** Whether all of the cluster reads as zeroes; not with subclusters. */
  isZero = false;
  /** The subclusters that read as zeroes, and those that have data. */
  zero = 0;
  allocated = 0;
  readonly #geometry: Geometry;
  readonly #tables: TableClusters;
  readonly #streamHigh: number;
  readonly #streamShift: number;

  /** Prepares for the entries of an image. */
  constructor(
    { geometry, tables }: Pick<WritableParts, "geometry" | "tables">,
  ) {
    this.#geometry = geometry;
    this.#tables = tables;
    this.#streamShift = 38 - geometry.clusterBits;
    this.#streamHigh = 2 ** this.#streamShift - 1;
  }

  /**
   * Reads an entry.
   *
   * @param words Where it is.
   * @param at Its first word.
   * @param guest Where its cluster is on the disk.
   */
  read(words: Int32Array, at: number, guest: number): void {
    const { entryWords, hasDataFile, clusterSize, version } = this.#geometry;
    const high = Atomics.load(words, at);
    const low = Atomics.load(words, at + 1);
    const isExtended = entryWords === 4;
    this.zero = isExtended ? Atomics.load(words, at + 2) : 0;
    this.allocated = isExtended ? Atomics.load(words, at + 3) : 0;
    this.isZero = false;
    if ((high & COMPRESSED) !== 0) return this.#readStream(high, low);
    this.host = (high & OFFSET_HIGH) * TWO_32 + ((low & OFFSET_LOW) >>> 0);
    const isOwn = (high & COPIED) !== 0;
    const hasZeroBit = !isExtended && (low & ZERO) !== 0;
    const hasPlace = this.host !== 0 ||
      (hasDataFile && isOwn && !hasZeroBit);
    this.isZero = hasZeroBit;
    this.kind = hasPlace ? isOwn ? CLUSTER.OWN : CLUSTER.SHARED : CLUSTER.EMPTY;
    const isSound = (high & RESERVED_HIGH) === 0 &&
      (low & RESERVED_LOW) === 0 &&
      (!hasZeroBit || version === 3) && (this.zero & this.allocated) === 0 &&
      (hasPlace || this.allocated === 0) && this.#isPlace(guest, hasPlace) &&
      !(isExtended && (low & ZERO) !== 0) &&
      this.host <= SIZE_MAX - clusterSize;
    if (!isSound) this.kind = CLUSTER.CORRUPT;
  }

  /** The clusters of the file that a compressed stream touches. */
  get streamClusters(): { readonly first: number; readonly count: number } {
    const { clusterSize } = this.#geometry;
    const first = Math.floor(this.host / clusterSize);
    const end = this.host + this.streamLength - 1;
    return { first, count: Math.floor(end / clusterSize) - first + 1 };
  }

  #isPlace(guest: number, hasPlace: boolean): boolean {
    const { hasDataFile, clusterSize } = this.#geometry;
    if (!hasPlace) return true;
    if (hasDataFile) return this.host === guest;
    return this.host % clusterSize === 0 &&
      !this.#tables.has(this.host / clusterSize);
  }

  #readStream(high: number, low: number): void {
    const { hasDataFile, clusterSize } = this.#geometry;
    const sectors = (high & ~COPIED & ~COMPRESSED) >>> this.#streamShift;
    this.host = (high & this.#streamHigh) * TWO_32 + (low >>> 0);
    this.streamLength = (sectors + 1) * SECTOR - this.host % SECTOR;
    const isSound = !hasDataFile && this.host <= SIZE_MAX - 2 * clusterSize &&
      !this.#tables.overlaps(this.host, this.streamLength, clusterSize);
    this.kind = isSound ? CLUSTER.COMPRESSED : CLUSTER.CORRUPT;
  }
}

/** The words of an entry for a cluster that only this disk has. */
export function ownEntry(host: number, isZero: boolean): [number, number] {
  return [
    (Math.floor(host / TWO_32) | COPIED) | 0,
    (host % TWO_32 | (isZero ? ZERO : 0)) | 0,
  ];
}

/** The words of an entry without a cluster. */
export function emptyEntry(isZero: boolean): [number, number] {
  return [0, isZero ? ZERO : 0];
}

/** The bits of the subclusters from one to before another one. */
export function subclusterMask(from: number, to: number): number {
  const below = (bits: number) =>
    bits >= 32 ? ALL_SUBCLUSTERS : (1 << bits) - 1;
  return below(to) & ~below(from);
}
