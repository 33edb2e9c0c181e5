import type { ClusterCounts } from "../check/cluster_counts.ts";
import type { Examined } from "../check/check_qcow2.ts";

/**
 * Counts what refcounts say beyond the references as references of their own:
 * such clusters stay in use, because a thread may still give them back, or write
 * to them.
 *
 * @param counts Further references, to which the same is added.
 * @returns Whether all refcounts could be read.
 */
export async function keepLeaks(
  { counter, stored }: Examined,
  counts: ClusterCounts,
): Promise<boolean> {
  const { image: { perBlock, clusters }, counts: before } = counter;
  for (const [block, offset] of stored.blocks.entries()) {
    if (offset === 0) continue;
    if (!await stored.load(block)) return false;
    const end = Math.min((block + 1) * perBlock, clusters);
    for (let cluster = block * perBlock; cluster < end; cluster++) {
      const leaked = stored.at(cluster) - before.get(cluster);
      if (leaked <= 0) continue;
      before.add(cluster, leaked);
      counts.add(cluster, leaked);
    }
  }
  return true;
}
