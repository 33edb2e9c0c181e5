import type { Answer } from "../../../backend.ts";
import type { Qcow2Sources } from "../qcow2_sources.ts";
import type { DiskTables } from "./disk_tables.ts";
import type { Refcounts } from "./refcounts.ts";
import type { TableClusters } from "./table_clusters.ts";
import type { TableFile } from "./table_file.ts";
import type { WriteState } from "./write_state.ts";

/** What one thread writes an image with. */
export interface WritableParts extends Qcow2Sources {
  readonly state: WriteState;
  /** The incompatible features in the header. */
  readonly incompatible: bigint;
  /** The autoclear features that changes leave set. */
  readonly autoclear: bigint;
  /** Clusters with tables, where no data can be. */
  readonly tables: TableClusters;
  /** Whether refcounts are written at the end, and the dirty bit before. */
  readonly isLazy: boolean;
  readonly tableFile: TableFile;
  readonly refcounts: Refcounts;
  readonly disk: DiskTables;
  /** Reads the disk; as `Backend.read()`. */
  read(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): Answer;
  /** Writes the tables to the file, and makes everything durable. */
  flush(): Answer;
}
