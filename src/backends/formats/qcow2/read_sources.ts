import { Completion, type Step } from "../../../event/completion.ts";
import { ERRNO } from "../../../base/errno.ts";
import type { Answer, Backend } from "../../backend.ts";
import type { ClusterCache } from "./cluster_cache.ts";
import type { DamageSigns } from "./damage_signs.ts";
import type { Geometry } from "./geometry.ts";
import type { TableLookup } from "./table_lookup.ts";

/** The image below, for what this one has not allocated. */
export interface BackingImage {
  /** The image in this thread. */
  readonly backend: Backend;
  /** Its size; what lies after it reads as zeroes. */
  readonly size: number;
}

/** What one thread reads an image from. */
export interface ReadSources {
  /** Takes damage of the tables. */
  readonly damage: DamageSigns;
  /** The file that has the tables and compressed clusters. */
  readonly file: Backend;
  /** The file that has the other clusters; the same without a data file. */
  readonly data: Backend;
  /**
   * The size of `data` when it was opened. The rest of its last cluster reads as
   * zeroes; what is mapped to later clusters is lost.
   */
  readonly dataEnd: number;
  readonly backing: BackingImage | null;
  readonly geometry: Geometry;
  readonly lookup: TableLookup;
  /** Clusters that were decompressed. */
  readonly clusters: ClusterCache;
}

/**
 * The result of reading where there must be bytes: the end of a file is an error
 * there, because it has lost what the tables say it has.
 */
export function notAtEnd(answer: Answer): Answer {
  if (typeof answer !== "number") {
    return Completion.of(answer).after(NOT_AT_END);
  }
  return answer === 0 ? -ERRNO.EIO : answer;
}

const NOT_AT_END: Step<number, number> = {
  run: (got) => got === 0 ? -ERRNO.EIO : got,
};
