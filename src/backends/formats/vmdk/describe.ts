import { quoteName } from "../../../base/quote_name.ts";
import type { Backend } from "../../backend.ts";
import { formatSize } from "../../size.ts";
import type { DescribedExtent, Descriptor } from "./descriptor.ts";
import {
  readDescriptorFile,
  readEmbedded,
  readSparseHeader,
  readStart,
} from "./read_sparse.ts";
import { magicOf, type SparseHeader } from "./sparse_header.ts";

/** What a VMDK image says of itself. Plain data; sizes in bytes. */
export interface VmdkFacts {
  /** The size of the disk. */
  readonly size: number;
  /** Such as `monolithicSparse`; `null` if it says none. */
  readonly createType: string | null;
  /** The version of its header; `null` if it has none. */
  readonly version: number | null;
  /** `null` without a header. */
  readonly grainSize: number | null;
  readonly isCompressed: boolean;
  /** Eight hexadecimal digits; `null` without a descriptor. */
  readonly cid: string | null;
  readonly parentCid: string | null;
  /** The name that the image gives, which nothing was opened by. */
  readonly parentName: string | null;
  /** The extents that the descriptor names, if they are in other files. */
  readonly extents: readonly DescribedExtent[];
}

/**
 * Reads what a VMDK image says of itself, and opens no other file.
 *
 * @param file The image's file.
 * @param name Its name in errors.
 * @throws {UserError} If it makes no sense.
 */
export async function describeVmdk(
  file: Backend,
  name: string,
): Promise<VmdkFacts> {
  if (magicOf(await readStart(file, name)) === null) {
    const descriptor = await readDescriptorFile(file, name);
    const { extents } = descriptor;
    const size = extents.reduce((sum, extent) => sum + extent.size, 0);
    return factsOf(size, null, descriptor, extents);
  }
  const header = await readSparseHeader(file, name);
  const descriptor = await readEmbedded(file, header, name);
  return factsOf(header.size, header, descriptor, []);
}

function factsOf(
  size: number,
  header: SparseHeader | null,
  descriptor: Descriptor | null,
  extents: readonly DescribedExtent[],
): VmdkFacts {
  return {
    size,
    createType: descriptor?.createType ?? null,
    version: header?.version ?? null,
    grainSize: header?.grainSize ?? null,
    isCompressed: header?.isCompressed ?? false,
    cid: hex(descriptor?.cid),
    parentCid: hex(descriptor?.parentCid),
    parentName: descriptor?.parentName ?? null,
    extents,
  };
}

function hex(cid: number | null | undefined): string | null {
  return cid?.toString(16).padStart(8, "0") ?? null;
}

/** The same facts for people: names and texts. */
export function vmdkRows(facts: VmdkFacts): [string, string][] {
  const { createType, version, grainSize, isCompressed, extents } = facts;
  const { cid, parentCid, parentName } = facts;
  const parts = [
    quoteName(createType ?? "type not recorded"),
    version === null ? "" : `version ${version}`,
    grainSize === null ? "" : `grains of ${formatSize(grainSize)}`,
    isCompressed ? "compressed" : "",
  ];
  const rows: [string, string][] = [
    ["VMDK", parts.filter((part) => part !== "").join(", ")],
  ];
  if (cid !== null) rows.push(["CID", cid]);
  if (parentCid !== null) {
    const name = parentName === null ? "not named" : quoteName(parentName);
    rows.push(["Parent", `${name} (CID ${parentCid})`]);
  }
  for (const { type, size, name } of extents) {
    const where = name === null ? "" : ` in ${quoteName(name)}`;
    rows.push(["Extent", `${type}, ${formatSize(size)}${where}`]);
  }
  return rows;
}
