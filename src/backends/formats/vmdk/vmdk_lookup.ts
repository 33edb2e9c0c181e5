import { MAPPED, type Mapping } from "../../mapped/mapping.ts";
import type { Lookup } from "../../mapped/read_sources.ts";
import { cacheOwner } from "../../mapped/slice_cache.ts";
import type { SliceBuffer } from "../../mapped/slice_buffer.ts";
import { type SharedTables, TableLookup } from "../../mapped/table_lookup.ts";
import { GrainEntries, type GrainGeometry } from "./grain_entries.ts";

/** A part of a disk, for every thread. Plain data; sizes in bytes. */
export type SharedExtent =
  & {
    /** Where it ends in the disk. */
    readonly end: number;
  }
  & (
    | { readonly kind: "zero" }
    | {
      readonly kind: "flat";
      /** The number of the file that has it. */
      readonly file: number;
      /** Where it starts in the file. */
      readonly offset: number;
    }
    | {
      readonly kind: "sparse";
      readonly file: number;
      readonly grains: GrainGeometry;
      readonly tables: SharedTables;
    }
  );

/** Maps a disk that consists of extents, one after the other. */
export class VmdkLookup implements Lookup {
  readonly #extents: readonly SharedExtent[];
  /** Where each extent ends. */
  readonly #ends: Float64Array;
  /** The tables of the sparse ones. */
  readonly #tables: readonly (TableLookup | null)[];
  /** The extent that was used last, and where it starts. */
  #index = 0;
  #start = 0;

  /**
   * Attaches to the extents of an open image.
   *
   * @param queue The queue that this thread serves; `undefined` for none.
   */
  constructor(extents: readonly SharedExtent[], queue: number | undefined) {
    this.#extents = extents;
    this.#ends = Float64Array.from(extents, ({ end }) => end);
    this.#tables = extents.map((extent) => {
      if (extent.kind !== "sparse") return null;
      const { tables, grains, file } = extent;
      const entries = new GrainEntries(grains, file);
      return new TableLookup(tables, entries, cacheOwner(queue));
    });
  }

  map(position: number, length: number, mapping: Mapping): boolean {
    this.#find(position);
    const extent = this.#extents[this.#index]!;
    const inExtent = position - this.#start;
    const most = Math.min(length, extent.end - position);
    switch (extent.kind) {
      case "sparse":
        return this.#tables[this.#index]!.map(inExtent, most, mapping);
      case "flat":
        mapping.setPlaceless(MAPPED.DATA, most);
        mapping.file = extent.file;
        mapping.host = extent.offset + inExtent;
        return true;
      case "zero":
        mapping.setPlaceless(MAPPED.ZERO, most);
        return true;
    }
  }

  prepare(position: number, into: SliceBuffer): void {
    this.#find(position);
    const extent = this.#extents[this.#index]!;
    if (extent.kind === "sparse") into.file = extent.file;
    this.#tables[this.#index]!.prepare(position - this.#start, into);
  }

  mapRead(
    read: SliceBuffer,
    position: number,
    length: number,
    mapping: Mapping,
  ): boolean {
    this.#find(position);
    const most = Math.min(length, this.#ends[this.#index]! - position);
    const tables = this.#tables[this.#index]!;
    return tables.mapRead(read, position - this.#start, most, mapping);
  }

  queueEnded(queue: number): void {
    for (const tables of this.#tables) tables?.queueEnded(queue);
  }

  /** Finds the extent at a position of the disk. */
  #find(position: number): void {
    const ends = this.#ends;
    if (position >= this.#start && position < ends[this.#index]!) return;
    let low = 0;
    let high = ends.length - 1;
    while (low < high) {
      const middle = low + high >> 1;
      if (position < ends[middle]!) high = middle;
      else low = middle + 1;
    }
    this.#index = low;
    this.#start = low === 0 ? 0 : ends[low - 1]!;
  }
}
