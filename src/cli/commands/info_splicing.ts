/**
 * What `info` prints about READs without a copy.
 *
 * @module
 */
import { formatSize } from "../../backends/size.ts";
import { hasCachestat } from "../../linux/io/page_cache.ts";
import { pipeCapacity } from "../../session/splicing.ts";

/** The facts that decide about splicing. */
export interface SplicingFacts {
  /** Bytes of the largest READ that can be spliced, or why none can. */
  readonly splice: number | string;
  /** Whether this kernel tells what is in the page cache: cachestat(2). */
  readonly cachestat: boolean;
}

/** The facts of this machine. */
export function splicingFacts(): SplicingFacts {
  return { splice: pipeCapacity(), cachestat: hasCachestat() };
}

/** The field of the event `info`. */
export function splicingField(
  { splice, cachestat }: SplicingFacts,
): Record<string, unknown> {
  const possible = typeof splice === "number";
  return { possible, reason: possible ? null : splice, disks: cachestat };
}

/** The text of its line. */
export function splicingText({ splice, cachestat }: SplicingFacts): string {
  if (typeof splice === "string") return `not possible: ${splice}`;
  const sizes = `READs of up to ${formatSize(splice)}`;
  return cachestat
    ? `possible for ${sizes}`
    : `possible for ${sizes} of files in memory; for those on disks this kernel lacks cachestat(2)`;
}
