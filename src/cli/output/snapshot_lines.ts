import type { ImageSnapshot } from "../../backends/image_snapshots.ts";
import { formatSize } from "../../backends/size.ts";
import { MS_PER_S } from "../../base/timespec.ts";
import { formatTable } from "./table.ts";

/**
 * The lines of a list of snapshots.
 *
 * @param image The image's name.
 */
export function snapshotLines(
  image: string,
  snapshots: readonly ImageSnapshot[],
): readonly string[] {
  if (snapshots.length === 0) return [`${image} has no snapshots`];
  const rows = snapshots.map(({ id, name, size, seconds }) => [
    id,
    formatSize(size),
    new Date(seconds * MS_PER_S).toISOString().slice(0, 19) + "Z",
    name,
  ]);
  return formatTable([["id", "disk", "made", "name"], ...rows]);
}
