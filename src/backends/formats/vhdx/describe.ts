import { quoteName } from "../../../base/quote_name.ts";
import type { Backend } from "../../backend.ts";
import { formatSize } from "../../size.ts";
import { parentLink } from "./parent_locator.ts";
import { readVhdx } from "./read_vhdx.ts";

/** What a VHDX image says of itself. Plain data; sizes in bytes. */
export interface VhdxFacts {
  /** The size of the disk. */
  readonly size: number;
  readonly blockSize: number;
  readonly sectorSize: number;
  /** Whether it was not closed, so that its log counts. */
  readonly hasLog: boolean;
  /** Changes whenever the data of the disk do. */
  readonly dataWriteId: string;
  /** The name that the image gives, which nothing was opened by. */
  readonly parentName: string | null;
}

/**
 * Reads what a VHDX image says of itself, and opens no other file.
 *
 * @param file The image's file.
 * @param name Its name in errors.
 * @throws {UserError} If it makes no sense.
 */
export async function describeVhdx(
  file: Backend,
  name: string,
): Promise<VhdxFacts> {
  const { header, patches, metadata } = await readVhdx(file, name);
  const { size, blockSize, sectorSize, parent } = metadata;
  return {
    size,
    blockSize,
    sectorSize,
    hasLog: patches !== null,
    dataWriteId: header.dataWriteId,
    parentName: parent === null ? null : parentLink(parent).name,
  };
}

/** The same facts for people: names and texts. */
export function vhdxRows(facts: VhdxFacts): [string, string][] {
  const { blockSize, sectorSize, hasLog, parentName } = facts;
  const rows: [string, string][] = [
    [
      "VHDX",
      `blocks of ${formatSize(blockSize)}, sectors of ${sectorSize} bytes`,
    ],
  ];
  if (hasLog) rows.push(["Log", "not empty: the image was not closed"]);
  if (parentName !== null) rows.push(["Parent", quoteName(parentName)]);
  return rows;
}
