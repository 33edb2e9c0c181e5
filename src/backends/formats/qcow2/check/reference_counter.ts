import type { CheckReport } from "./check_report.ts";
import type { CheckedImage } from "./checked_image.ts";
import type { ClusterCounts } from "./cluster_counts.ts";

/** Counts references to the clusters of a file. */
export class ReferenceCounter {
  /** Starts to count. */
  constructor(
    readonly image: CheckedImage,
    readonly counts: ClusterCounts,
    readonly report: CheckReport,
  ) {}

  /** Counts references to a range of the file. */
  refer(
    offset: number,
    length: number,
    what: string,
    references: number = 1,
  ): void {
    const { image: { clusterSize, length: end }, counts, report } = this;
    if (length <= 0) return;
    //= QEMU block/qcow2-refcount.c qcow2_inc_refcounts_imrt(): the last cluster
    //= of a file need not be whole, yet some of it must be there.
    if (offset + length - end >= clusterSize) {
      return report.corrupt(
        "BEYOND_END",
        `${what} is at ${offset}`,
        references,
      );
    }
    const last = Math.floor((offset + length - 1) / clusterSize);
    for (let at = Math.floor(offset / clusterSize); at <= last; at++) {
      const over = counts.add(at, references);
      if (over > 0) report.corrupt("OVERFLOW", `${what}, cluster ${at}`, over);
    }
  }
}
