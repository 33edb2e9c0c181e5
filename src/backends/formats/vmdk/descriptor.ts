/**
 * The descriptor of a VMDK image: lines of text, in a file of their own or in the
 * image.
 *
 * @module
 */
import { SIZE_MAX } from "../../size.ts";
import { LIMIT, NO_PARENT, SECTOR } from "./constants.ts";
import { refusal } from "./refusal.ts";

/** A part of a disk, as a descriptor names it. Sizes in bytes. */
export interface DescribedExtent {
  /** Such as `FLAT`, `SPARSE` or `ZERO`. */
  readonly type: string;
  /** Its length. */
  readonly size: number;
  /** The name of its file as the descriptor gives it; `null` if it has none. */
  readonly name: string | null;
  /** Where it starts in its file. */
  readonly offset: number;
}

/** A valid descriptor. Plain data. */
export interface Descriptor {
  /** Such as `monolithicSparse`; `null` if it says none. */
  readonly createType: string | null;
  /** Changes whenever the disk is written to. */
  readonly cid: number;
  /** The parent's when this disk was made; `null` without a parent. */
  readonly parentCid: number | null;
  /** The parent's file as the descriptor names it; `null` if it does not. */
  readonly parentName: string | null;
  readonly extents: readonly DescribedExtent[];
}

const EXTENT =
  /^(RW|RDONLY|NOACCESS)\s+(\d+)\s+(\w+)(?:\s+"([^"]*)"(?:\s+(\d+))?.*)?$/;
const VALUE = /^(\w+)\s*=\s*(?:"([^"]*)"|(\S*))\s*$/;

/**
 * Parses a descriptor.
 *
 * @param text Its lines; what follows a NUL is padding.
 * @param name The image's name in errors.
 * @throws {UserError} If it makes no sense.
 */
export function parseDescriptor(text: string, name: string): Descriptor {
  const values = new Map<string, string>();
  const extents: DescribedExtent[] = [];
  const [lines] = text.split("\0", 1);
  for (const line of lines!.split(/\r\n|\r|\n/).map((each) => each.trim())) {
    if (line === "" || line.startsWith("#")) continue;
    if (/^(RW|RDONLY|NOACCESS)\b/.test(line)) {
      if (extents.length === LIMIT.EXTENTS) {
        throw refusal(name, `it has more than ${LIMIT.EXTENTS} extents`);
      }
      extents.push(extentOf(line, name));
      continue;
    }
    const [, key, quoted, bare] = VALUE.exec(line) ?? [];
    if (key !== undefined && !values.has(key)) {
      values.set(key, quoted ?? bare!);
    }
  }
  const parentCid = cidOf(values.get("parentCID") ?? "ffffffff", name);
  return {
    createType: values.get("createType") ?? null,
    cid: cidOf(values.get("CID") ?? "0", name),
    parentCid: parentCid === NO_PARENT ? null : parentCid,
    parentName: values.get("parentFileNameHint") ?? null,
    extents,
  };
}

function cidOf(text: string, name: string): number {
  if (/^[0-9a-f]{1,8}$/i.test(text)) return parseInt(text, 16);
  throw refusal(name, `its descriptor has the CID ${JSON.stringify(text)}`);
}

function extentOf(line: string, name: string): DescribedExtent {
  const [, access, sectors, type, file, offset = "0"] = EXTENT.exec(line) ?? [];
  const what = JSON.stringify(line.slice(0, 100));
  if (type === undefined) {
    throw refusal(name, `its descriptor has the line ${what}`);
  }
  if (access === "NOACCESS") {
    throw refusal(name, `its extent ${what} must not be read`);
  }
  const size = Number(sectors) * SECTOR;
  const start = Number(offset) * SECTOR;
  if (size === 0 || size > SIZE_MAX || start > SIZE_MAX - size) {
    throw refusal(name, `its extent ${what} has no valid size`);
  }
  return { type, size, name: file ?? null, offset: start };
}
