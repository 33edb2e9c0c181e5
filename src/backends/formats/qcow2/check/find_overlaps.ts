import type { ReferenceCounter } from "./reference_counter.ts";

/**
 * Finds tables that share clusters with something else, when all references are
 * counted. A change of the one would be a change of the other. QEMU does not
 * count them, but does not write to such a table either.
 */
export function findOverlaps(counter: ReferenceCounter): void {
  const { image: { header, clusterSize }, report, tables } = counter;
  const look = (at: number, length: number, what: string, references = 1) => {
    const isAlone = length === 0 || counter.isAlone(at, length, references);
    if (!isAlone) report.corrupt("OVERLAP", `${what} at ${at}`);
    return isAlone;
  };
  look(0, clusterSize, "the header");
  look(header.l1Offset, 8 * header.l1Entries, "the L1 table");
  for (const [at, references] of tables) {
    look(at, clusterSize, "the L2 table", references);
  }
  const { refcountTableOffset, refcountTableClusters } = header;
  const length = refcountTableClusters * clusterSize;
  if (!look(refcountTableOffset, length, "the refcount table")) {
    report.needsRebuild = true;
  }
}
