import { quoteName } from "../../../base/quote_name.ts";
import type { Backend } from "../../backend.ts";
import { formatSize } from "../../size.ts";
import { parentNameOf, readDynamicHeader } from "./dynamic_header.ts";
import { readFooter, VHD_KIND } from "./footer.ts";

/** What a VHD image says of itself. Plain data; sizes in bytes. */
export interface VhdFacts {
  readonly kind: "fixed" | "dynamic" | "differencing";
  /** The size of the disk. */
  readonly size: number;
  /** The two sizes that its footer gives. */
  readonly currentSize: number;
  readonly geometrySize: number;
  /** The program that made it, as four characters. */
  readonly creator: string;
  readonly id: string;
  /** `null` if it is fixed. */
  readonly blockSize: number | null;
  /** The name that the image gives, which nothing was opened by. */
  readonly parentName: string | null;
  readonly parentId: string | null;
}

const KINDS = {
  [VHD_KIND.FIXED]: "fixed",
  [VHD_KIND.DYNAMIC]: "dynamic",
  [VHD_KIND.DIFFERENCING]: "differencing",
} as const;

/**
 * Reads what a VHD image says of itself, and opens no other file.
 *
 * @param file The image's file.
 * @param name Its name in errors.
 * @throws {UserError} If it makes no sense.
 */
export async function describeVhd(
  file: Backend,
  name: string,
): Promise<VhdFacts> {
  const { footer } = await readFooter(file, name);
  const { kind, size, currentSize, geometrySize, creator, id } = footer;
  const header = kind === VHD_KIND.FIXED
    ? null
    : await readDynamicHeader(file, footer.headerOffset, name);
  const hasParent = header !== null && kind === VHD_KIND.DIFFERENCING;
  return {
    kind: KINDS[kind],
    size,
    currentSize,
    geometrySize,
    creator,
    id,
    blockSize: header?.blockSize ?? null,
    parentName: hasParent ? await parentNameOf(file, header) : null,
    parentId: hasParent ? header.parentId : null,
  };
}

/** The same facts for people: names and texts. */
export function vhdRows(facts: VhdFacts): [string, string][] {
  const { kind, blockSize, creator, size, parentName, parentId } = facts;
  const blocks = blockSize === null
    ? ""
    : `, blocks of ${formatSize(blockSize)}`;
  const rows: [string, string][] = [
    ["VHD", `${kind}${blocks}, made by ${quoteName(creator)}`],
  ];
  if (facts.currentSize !== facts.geometrySize) {
    const rule = size === facts.geometrySize
      ? "that of its geometry"
      : "its current size, not that of its geometry";
    rows.push(["Size", rule]);
  }
  if (parentName !== null) {
    rows.push(["Parent", `${quoteName(parentName)} (id ${parentId})`]);
  }
  return rows;
}
