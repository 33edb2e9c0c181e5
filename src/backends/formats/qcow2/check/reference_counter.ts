import { CheckReport } from "./check_report.ts";
import type { CheckedImage } from "./checked_image.ts";
import { ClusterCounts } from "./cluster_counts.ts";

/** Counts references to the clusters of a file. */
export class ReferenceCounter {
  /** How many entries of L1 tables refer to an L2 table, by its offset. */
  readonly tables: Map<number, number> = new Map();

  private constructor(
    readonly image: CheckedImage,
    readonly counts: ClusterCounts,
    readonly report: CheckReport,
  ) {}

  /** Starts to count. */
  static create(image: CheckedImage): ReferenceCounter {
    const max = 2 ** 2 ** image.header.refcountOrder - 1;
    return new ReferenceCounter(
      image,
      new ClusterCounts(max),
      new CheckReport(),
    );
  }

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

  /**
   * Whether nothing else lies in the clusters of a table, so that it may be
   * changed where it is.
   *
   * @param references How many references lead to the table.
   */
  isAlone(offset: number, length: number, references: number): boolean {
    const { image: { clusterSize }, counts } = this;
    const last = Math.floor((offset + length - 1) / clusterSize);
    for (let at = Math.floor(offset / clusterSize); at <= last; at++) {
      if (counts.all(at) > references) return false;
    }
    return true;
  }
}
