import { MAPPED, type Mapping } from "../../mapped/mapping.ts";
import type { TableEntries } from "../../mapped/table_lookup.ts";
import { NO_GRAIN, SECTOR, ZERO_GRAIN } from "./constants.ts";

/** What the entries of a sparse extent mean. Plain data; sizes in bytes. */
export interface GrainGeometry {
  readonly grainSize: number;
  /** Entries of a slice. */
  readonly sliceEntries: number;
  readonly isCompressed: boolean;
  readonly hasZeroGrains: boolean;
}

/** Reads entries of grain tables: for each grain the sector where it is. */
export class GrainEntries implements TableEntries {
  readonly #geometry: GrainGeometry;
  readonly #file: number;

  /**
   * Prepares for the entries of an extent.
   *
   * @param file The number of the file that has it.
   */
  constructor(geometry: GrainGeometry, file: number) {
    this.#geometry = geometry;
    this.#file = file;
  }

  decode(bytes: Uint8Array, words: Int32Array): void {
    for (let i = 0; i < words.length; i++) {
      const at = 4 * i;
      words[i] = bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16 |
        bytes[at + 3]! << 24;
    }
  }

  map(
    words: Int32Array,
    start: number,
    _position: number,
    inSlice: number,
    length: number,
    mapping: Mapping,
  ): void {
    const { grainSize, sliceEntries, isCompressed } = this.#geometry;
    const first = Math.floor(inSlice / grainSize);
    const inGrain = inSlice - first * grainSize;
    const sector = Atomics.load(words, start + first) >>> 0;
    const kind = this.#kindOf(sector);
    const left = grainSize - inGrain;
    if (kind === MAPPED.COMPRESSED) {
      const next = first + 1;
      const end = this.#streamEnd(words, start + next, start + sliceEntries);
      this.#setStream(mapping, sector, inGrain, end);
      mapping.length = Math.min(left, length);
      return;
    }
    const grainSectors = grainSize / SECTOR;
    let mapped = left;
    let follows = sector;
    for (let i = first + 1; i < sliceEntries && mapped < length; i++) {
      const next = Atomics.load(words, start + i) >>> 0;
      follows += grainSectors;
      const isSame = kind === MAPPED.DATA
        ? next === follows
        : this.#kindOf(next) === kind;
      if (!isSame) break;
      mapped += grainSize;
    }
    mapping.setPlaceless(kind, Math.min(mapped, length));
    if (kind !== MAPPED.DATA || isCompressed) return;
    mapping.file = this.#file;
    mapping.host = sector * SECTOR + inGrain;
  }

  #kindOf(sector: number): Mapping["kind"] {
    const { hasZeroGrains, isCompressed } = this.#geometry;
    if (sector === NO_GRAIN) return MAPPED.UNALLOCATED;
    if (sector === ZERO_GRAIN && hasZeroGrains) return MAPPED.ZERO;
    return isCompressed ? MAPPED.COMPRESSED : MAPPED.DATA;
  }

  /** The sector of the next grain of a slice; 0 if there is none. */
  #streamEnd(words: Int32Array, from: number, to: number): number {
    for (let at = from; at < to; at++) {
      const sector = Atomics.load(words, at) >>> 0;
      if (sector > ZERO_GRAIN) return sector;
    }
    return 0;
  }

  /** Grains are written in order, mostly: a stream ends where the next starts. */
  #setStream(
    mapping: Mapping,
    sector: number,
    inGrain: number,
    end: number,
  ): void {
    const { grainSize } = this.#geometry;
    const most = 2 * grainSize;
    const known = (end - sector) * SECTOR;
    mapping.setPlaceless(MAPPED.COMPRESSED, 0);
    mapping.file = this.#file;
    mapping.host = sector * SECTOR;
    mapping.streamLength = known > 0 ? Math.min(known, most) : most;
    mapping.inBlock = inGrain;
    mapping.blockLength = grainSize;
  }
}
