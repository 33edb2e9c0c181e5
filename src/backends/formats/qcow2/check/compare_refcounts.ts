import type { ReferenceCounter } from "./reference_counter.ts";
import type { StoredRefcounts } from "./stored_refcounts.ts";

/** Compares the refcounts that are stored with the references. */
export async function compareRefcounts(
  { image, counts, report }: ReferenceCounter,
  stored: StoredRefcounts,
): Promise<void> {
  const { perBlock } = image;
  const clusters = Math.max(image.clusters, counts.end);
  for (const block of blocksOf(stored, counts.blocks(perBlock))) {
    if (!await stored.load(block)) continue;
    const end = Math.min((block + 1) * perBlock, clusters);
    for (let cluster = block * perBlock; cluster < end; cluster++) {
      const refcount = stored.at(cluster);
      const references = counts.get(cluster);
      if (refcount > references) {
        report.leaks++;
      } else if (refcount < references) {
        const what = `cluster ${cluster} has refcount ${refcount}`;
        report.corrupt("REFCOUNT_LOW", `${what}, references ${references}`);
      }
      // Where there is no block, it cannot be set.
      const hasBlock = (stored.blocks[block] ?? 0) !== 0;
      if (references > 0 && !hasBlock) report.needsRebuild = true;
    }
  }
}

/** Every block that exists, or would have to. */
function blocksOf(
  { blocks }: StoredRefcounts,
  needed: ReadonlySet<number>,
): readonly number[] {
  const all = new Set(needed);
  blocks.forEach((offset, block) => {
    if (offset > 0) all.add(block);
  });
  return [...all].sort((a, b) => a - b);
}
