import { MAPPED, type Mapping } from "../../mapped/mapping.ts";
import type { Lookup } from "../../mapped/read_sources.ts";
import type { SeekTable } from "./seek_table.ts";

/**
 * What a stream may have in addition to the bytes that it gives: at most a 256th
 * and some (ZSTD_COMPRESSBOUND), so this is more than enough.
 */
const STREAM_PART = 128;
const STREAM_MORE = 4096;

/** Maps a disk by a seek table, all of which is in memory. */
export class FrameLookup implements Lookup {
  readonly #frames: number;
  readonly #places: Float64Array<SharedArrayBuffer>;
  /** The frame that was used last. */
  #frame = 0;

  /** Attaches to the table of an open image. */
  constructor({ frames, places }: SeekTable) {
    this.#frames = frames;
    this.#places = new Float64Array(places);
  }

  map(position: number, length: number, mapping: Mapping): boolean {
    const places = this.#places;
    const frame = this.#find(position);
    const start = places[2 * frame]!;
    const end = places[2 * frame + 2]!;
    const host = places[2 * frame + 1]!;
    mapping.setPlaceless(
      MAPPED.COMPRESSED,
      Math.min(length, end - position),
    );
    mapping.file = 0;
    mapping.host = host;
    const size = end - start;
    // Empty frames may follow, which are ignored.
    mapping.streamLength = Math.min(
      places[2 * frame + 3]! - host,
      size + Math.floor(size / STREAM_PART) + STREAM_MORE,
    );
    mapping.inBlock = position - start;
    mapping.blockLength = size;
    return true;
  }

  /** Nothing is ever missing. */
  prepare(): void {}

  mapRead(): boolean {
    return false;
  }

  queueEnded(): void {}

  /** The frame at a position of the disk. */
  #find(position: number): number {
    const places = this.#places;
    const last = this.#frame;
    for (const frame of [last, last + 1]) {
      if (frame >= this.#frames || position < places[2 * frame]!) break;
      if (position < places[2 * frame + 2]!) return this.#frame = frame;
    }
    let low = 0;
    let high = this.#frames - 1;
    while (low < high) {
      const middle = low + high >> 1;
      if (position < places[2 * middle + 2]!) high = middle;
      else low = middle + 1;
    }
    return this.#frame = low;
  }
}
