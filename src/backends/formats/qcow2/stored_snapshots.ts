import type { Backend } from "../../backend.ts";
import type { ImageSnapshots } from "../../image_snapshots.ts";
import { readHeader } from "./read_header.ts";
import { readSnapshots } from "./snapshot_table.ts";

/**
 * The snapshots of an image that is only read.
 *
 * @param file The image's file.
 * @param name Its name in errors.
 */
export function storedSnapshots(file: Backend, name: string): ImageSnapshots {
  return {
    list: async () =>
      await readSnapshots(file, await readHeader(file, name), name),
  };
}
