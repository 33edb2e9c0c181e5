import type { Backend } from "../../backend.ts";
import { readHeader, type VhdxHeader } from "./header.ts";
import { readMetadata, type VhdxMetadata } from "./metadata.ts";
import { PatchedFile } from "./patched_file.ts";
import type { FilePatches } from "./patches.ts";
import { readLog } from "./read_log.ts";
import { readRegions, type Regions } from "./regions.ts";

/** What an image says of itself, after its log. */
export interface VhdxImage {
  readonly header: VhdxHeader;
  /** What its log changes; `null` if that is empty. */
  readonly patches: FilePatches | null;
  /** Its file, as the log leaves it. */
  readonly file: Backend;
  /** The size of that in bytes. */
  readonly fileSize: number;
  readonly regions: Regions;
  readonly metadata: VhdxMetadata;
}

/**
 * Reads everything but the tables of blocks.
 *
 * @param file The image's file, which is not changed.
 * @param name Its name in errors.
 * @throws {UserError} If it makes no sense.
 */
export async function readVhdx(
  file: Backend,
  name: string,
): Promise<VhdxImage> {
  const { size } = await file.stat();
  const header = await readHeader(file, name);
  const patches = await readLog(file, header, name);
  const patched = patches === null
    ? file
    : new PatchedFile(file, size, patches);
  const regions = await readRegions(patched, header, name);
  const metadata = await readMetadata(patched, regions.metadata, name);
  return {
    header,
    patches,
    file: patched,
    fileSize: patches?.size ?? size,
    regions,
    metadata,
  };
}
