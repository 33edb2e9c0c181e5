import { LOG_SECTOR, type LogChange } from "./log_entry.ts";
import { refusal } from "./refusal.ts";

/** Changed ranges at most. */
const PATCHES_MAX = 1 << 16;

/** Where a patch has zeroes. */
export const ZEROES = -1;

/** Ranges of a file that read as something else. Plain data; in bytes. */
export interface FilePatches {
  /** The size that the file has with them. */
  readonly size: number;
  /** Where each range starts and ends; they are sorted and do not overlap. */
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  /** Where in `data` each range starts; {@linkcode ZEROES} for zeroes. */
  readonly sources: readonly number[];
  readonly data: SharedArrayBuffer;
}

interface Patch {
  readonly start: number;
  readonly end: number;
  readonly source: number;
}

/** Collects changes; later ones replace earlier ones. */
export class PatchList {
  readonly #name: string;
  readonly #sectors: Uint8Array[] = [];
  #patches: Patch[] = [];

  /** Starts a list for an image of a name. */
  constructor(name: string) {
    this.#name = name;
  }

  /**
   * Adds a change.
   *
   * @throws {UserError} If there are too many.
   */
  add({ offset, length, data }: LogChange): void {
    if (length === 0) return;
    let source: number = ZEROES;
    if (data !== null) {
      source = this.#sectors.length * LOG_SECTOR;
      this.#sectors.push(data);
    }
    const patches = this.#patches;
    if (patches.length >= PATCHES_MAX) {
      throw refusal(this.#name, "its log has too many changes");
    }
    const end = offset + length;
    const from = this.#firstAfter(offset);
    let to = from;
    while (to < patches.length && patches[to]!.start < end) to++;
    const kept: Patch[] = [];
    for (const old of patches.slice(from, to)) {
      if (old.start < offset) kept.push({ ...old, end: offset });
    }
    kept.push({ start: offset, end, source });
    const last = patches[to - 1];
    if (to > from && last!.end > end) {
      const skipped = end - last!.start;
      kept.push({
        start: end,
        end: last!.end,
        source: last!.source === ZEROES ? ZEROES : last!.source + skipped,
      });
    }
    patches.splice(from, to - from, ...kept);
  }

  /** The patches, for a file of a size. */
  finish(size: number): FilePatches {
    const bytes = new Uint8Array(
      new SharedArrayBuffer(this.#sectors.length * LOG_SECTOR),
    );
    for (const [i, sector] of this.#sectors.entries()) {
      bytes.set(sector, i * LOG_SECTOR);
    }
    return {
      size,
      starts: this.#patches.map(({ start }) => start),
      ends: this.#patches.map(({ end }) => end),
      sources: this.#patches.map(({ source }) => source),
      data: bytes.buffer,
    };
  }

  /** The first patch that ends after a position. */
  #firstAfter(position: number): number {
    return firstAfter(
      this.#patches.length,
      position,
      (i) => this.#patches[i]!.end,
    );
  }
}

/** The first of some sorted ranges that ends after a position; their count if none does. */
export function firstAfter(
  count: number,
  position: number,
  endOf: (i: number) => number,
): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (endOf(middle) > position) high = middle;
    else low = middle + 1;
  }
  return low;
}
