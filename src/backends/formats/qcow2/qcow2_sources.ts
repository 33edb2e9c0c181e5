import type { Backend } from "../../backend.ts";
import type { ReadSources, SourceFile } from "../../mapped/read_sources.ts";
import type { SharedTables } from "../../mapped/table_lookup.ts";
import type { Geometry } from "./geometry.ts";

/** The numbers of the files that mappings lead to. */
export const FILES = {
  /** The image's own. */
  OWN: 0,
  /** That of the data, if they are in a file of their own. */
  DATA: 1,
} as const;

/** The tables of an open image, for every thread. Plain data. */
export interface Qcow2Tables extends SharedTables {
  readonly geometry: Geometry;
}

/** What one thread reads an image from. */
export interface Qcow2Sources extends ReadSources {
  readonly geometry: Geometry;
  /** The file that has the tables and compressed clusters. */
  readonly file: Backend;
  /** The file that has the other clusters; the same without a data file. */
  readonly data: Backend;
}

/**
 * The files that mappings lead to.
 *
 * @param file The image's own.
 * @param data The one with the data; the same without a data file.
 * @param end The size of the one with the data.
 */
export function sourceFiles(
  file: Backend,
  data: Backend,
  end: number,
  { clusterSize }: Geometry,
): SourceFile[] {
  const zeroEnd = Math.ceil(end / clusterSize) * clusterSize;
  const own = { backend: file, end, zeroEnd };
  return data === file ? [own] : [own, { backend: data, end, zeroEnd }];
}
