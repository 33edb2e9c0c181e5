import type { Random } from "../../_random.ts";
import { attach, type Attached, created, MAX, Sectors } from "./_crash_load.ts";
import { CutDisk } from "./_cut_disk.ts";

/** An image that several threads use, on a disk whose power can be cut. */
export interface OpenedImage {
  readonly file: CutDisk;
  readonly sectors: Sectors;
  readonly attached: Attached;
}

/**
 * Makes an image with data, and opens it in several threads.
 *
 * @param kind qemu-img's options of it.
 * @param options Whether it may have a snapshot, and bytes for its tables: by
 * default it may, and these are drawn.
 */
export async function opened(
  directory: string,
  kind: string,
  random: Random,
  options: { maySnapshot?: boolean; cacheSize?: number } = {},
): Promise<OpenedImage> {
  const { maySnapshot, cacheSize } = options;
  const { bytes, disk } = await created(directory, kind, random, maySnapshot);
  const file = new CutDisk(bytes, MAX, random.fork());
  const sectors = new Sectors(disk);
  const bytesOfTables = cacheSize ?? random.pick([0, 1 << 20]);
  return { file, sectors, attached: await attach(file, bytesOfTables) };
}
