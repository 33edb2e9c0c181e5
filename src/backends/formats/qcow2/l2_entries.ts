import { SIZE_MAX } from "../../size.ts";
import {
  MAPPED,
  type Mapping,
  type MappingKind,
  NO_HOST,
} from "../../mapped/mapping.ts";
import type { TableEntries } from "../../mapped/table_lookup.ts";
import { SECTOR, SUBCLUSTERS } from "./constants.ts";
import type { Geometry } from "./geometry.ts";
import { FILES } from "./qcow2_sources.ts";

// Of the upper and the lower word of an entry.
const COPIED = 0x8000_0000 | 0;
const COMPRESSED = 0x4000_0000;
const OFFSET_HIGH = 0x00ff_ffff;
const RESERVED_HIGH = 0x3f00_0000;
const ZERO = 1;
const OFFSET_LOW = 0xffff_fe00 | 0;
const TWO_32 = 2 ** 32;

/** Reads L2 entries: words in host order, the upper one first. */
export class L2Entries implements TableEntries {
  readonly #geometry: Geometry;
  /** Which file has the data. */
  readonly #file: number;
  readonly #entryWords: number;
  readonly #clusterSize: number;
  readonly #isExtended: boolean;
  readonly #reservedLow: number;
  /** Bits of a compressed entry's upper word that belong to the offset. */
  readonly #streamHigh: number;
  readonly #streamLow: number;
  /** The last result of `#read()`. */
  #kind: MappingKind = MAPPED.CORRUPT;
  #host = NO_HOST;
  #run = 0;
  #isOwn = false;
  #streamLength = 0;

  /** Prepares for the entries of an image. */
  constructor(geometry: Geometry) {
    const { entryWords, clusterSize, version, clusterBits } = geometry;
    this.#geometry = geometry;
    this.#file = geometry.hasDataFile ? FILES.DATA : FILES.OWN;
    this.#entryWords = entryWords;
    this.#clusterSize = clusterSize;
    this.#isExtended = entryWords === 4;
    const hasZeroBit = version === 3 && !this.#isExtended;
    this.#reservedLow = ~OFFSET_LOW & (hasZeroBit ? ~ZERO : ~0);
    // The offset has `x` = 70 - cluster_bits bits, the count of sectors the rest
    // of 62.
    const offsetBits = 62 - (clusterBits - 8);
    this.#streamHigh = 2 ** (offsetBits - 32) - 1;
    this.#streamLow = offsetBits - 32;
  }

  decode(bytes: Uint8Array, words: Int32Array): void {
    for (let i = 0; i < words.length; i++) {
      const at = 4 * i;
      words[i] = bytes[at]! << 24 | bytes[at + 1]! << 16 |
        bytes[at + 2]! << 8 | bytes[at + 3]!;
    }
  }

  map(
    words: Int32Array,
    start: number,
    position: number,
    inSlice: number,
    length: number,
    mapping: Mapping,
  ): void {
    const { clusterBits, sliceEntries } = this.#geometry;
    let entry = inSlice >>> clusterBits;
    const inCluster = inSlice & this.#clusterSize - 1;
    let guest = position - inCluster;
    this.#read(words, start + entry * this.#entryWords, inCluster, guest);
    const kind = this.#kind;
    const host = this.#host;
    const isOwn = this.#isOwn;
    let mapped = this.#run;
    mapping.kind = kind;
    mapping.file = this.#file;
    mapping.host = host;
    mapping.isOwn = isOwn;
    mapping.streamLength = this.#streamLength;
    mapping.inBlock = inCluster;
    mapping.blockLength = this.#clusterSize;
    let reachesEnd = inCluster + mapped === this.#clusterSize;
    while (mapped < length && reachesEnd && kind !== MAPPED.COMPRESSED) {
      if (++entry === sliceEntries) break;
      guest += this.#clusterSize;
      this.#read(words, start + entry * this.#entryWords, 0, guest);
      const follows = host === NO_HOST
        ? this.#host === NO_HOST
        : this.#host === host + mapped;
      const isSame = this.#kind === kind && this.#isOwn === isOwn;
      if (!isSame || !follows) break;
      mapped += this.#run;
      reachesEnd = this.#run === this.#clusterSize;
    }
    mapping.length = Math.min(mapped, length);
  }

  /** Reads the entry at a word: what is at a byte of its cluster. */
  #read(
    words: Int32Array,
    at: number,
    inCluster: number,
    guest: number,
  ): void {
    const high = Atomics.load(words, at);
    const low = Atomics.load(words, at + 1);
    this.#run = this.#clusterSize - inCluster;
    this.#host = NO_HOST;
    this.#isOwn = (high & COPIED) !== 0;
    if ((high & COMPRESSED) !== 0) return this.#readCompressed(high, low);
    const cluster = (high & OFFSET_HIGH) * TWO_32 +
      ((low & OFFSET_LOW) >>> 0);
    // In a data file offset 0 is a place like any other, if COPIED is set.
    const hasPlace = cluster !== 0 ||
      (this.#geometry.hasDataFile && (high & COPIED) !== 0 &&
        (low & ZERO) === 0);
    const isReserved = (high & RESERVED_HIGH) !== 0 ||
      (low & this.#reservedLow) !== 0;
    if (isReserved || (hasPlace && !this.#isPlace(cluster, guest))) {
      this.#kind = MAPPED.CORRUPT;
      return;
    }
    if (hasPlace) this.#host = cluster + inCluster;
    if (this.#isExtended) {
      this.#readBitmap(words, at + 2, inCluster, hasPlace);
    } else if ((low & ZERO) !== 0) {
      this.#kind = MAPPED.ZERO;
    } else {
      this.#kind = hasPlace ? MAPPED.DATA : MAPPED.UNALLOCATED;
    }
  }

  /** Whether data of the disk at `guest` may be at a place of the file. */
  #isPlace(cluster: number, guest: number): boolean {
    return this.#geometry.hasDataFile
      ? cluster === guest
      : cluster % this.#clusterSize === 0 &&
        cluster <= SIZE_MAX - this.#clusterSize;
  }

  #readCompressed(high: number, low: number): void {
    if (this.#geometry.hasDataFile) {
      this.#kind = MAPPED.CORRUPT;
      return;
    }
    const sectors = (high & ~COPIED & ~COMPRESSED) >>> this.#streamLow;
    const host = (high & this.#streamHigh) * TWO_32 + (low >>> 0);
    const isSound = host <= SIZE_MAX - 2 * this.#clusterSize;
    this.#kind = isSound ? MAPPED.COMPRESSED : MAPPED.CORRUPT;
    this.#host = host;
    this.#streamLength = (sectors + 1) * SECTOR - host % SECTOR;
  }

  /** Reads the bitmap of an extended entry: the upper word says "zero". */
  #readBitmap(
    words: Int32Array,
    at: number,
    inCluster: number,
    hasPlace: boolean,
  ): void {
    const zero = Atomics.load(words, at);
    const allocated = Atomics.load(words, at + 1);
    const { subclusterSize } = this.#geometry;
    const first = Math.floor(inCluster / subclusterSize);
    const bit = 1 << first;
    let same: number;
    if ((zero & allocated) !== 0 || (allocated !== 0 && !hasPlace)) {
      this.#kind = MAPPED.CORRUPT;
      return;
    } else if ((zero & bit) !== 0) {
      this.#kind = MAPPED.ZERO;
      same = zero;
    } else if ((allocated & bit) !== 0) {
      this.#kind = MAPPED.DATA;
      same = allocated;
    } else {
      this.#kind = MAPPED.UNALLOCATED;
      same = ~(zero | allocated);
    }
    const end = first + lowestZero(same >>> first, SUBCLUSTERS - first);
    this.#run = end * subclusterSize - inCluster;
  }
}

/** The number of ones from the lowest bit on, at most `max`. */
function lowestZero(bits: number, max: number): number {
  const zeroes = ~bits;
  const count = zeroes === 0 ? 32 : 31 - Math.clz32(zeroes & -zeroes);
  return Math.min(count, max);
}
