/**
 * The metadata of a VHDX image: [MS-VHDX] 2.6.
 *
 * @module
 */
import type { Backend } from "../../backend.ts";
import { uuidOf } from "../../uuid.ts";
import { parseParentLocator } from "./parent_locator.ts";
import type { Region } from "./regions.ts";
import { refusal } from "./refusal.ts";
import {
  MIB,
  readStructure,
  signatureOf,
  type Structure,
} from "./structure.ts";

const TABLE_BYTES = 64 << 10;
const SIGNATURE = "metadata";
const ENTRIES_MAX = 2047;
const ENTRY_BYTES = 32;
/** Bytes of an item at most. */
const ITEM_MAX = MIB;
const REQUIRED = 4;
const BLOCK_MAX = 256 * MIB;
/** 64 TiB. */
const DISK_MAX = 2 ** 46;

const ITEM = {
  FILE_PARAMETERS: "caa16737-fa36-4d43-b3b6-33f0aa44e76b",
  DISK_SIZE: "2fa54224-cd1b-4876-b211-5dbed83bf4b8",
  DISK_ID: "beca12ab-b2e6-4523-93ef-c309e000c746",
  LOGICAL_SECTOR: "8141bf1d-a96f-4709-ba47-f233a8faab5f",
  PHYSICAL_SECTOR: "cda348c7-445d-4471-9cc9-e9885251c556",
  PARENT_LOCATOR: "a8d35f2d-b30b-454d-abf7-d3d84834ab0c",
} as const;
const KNOWN: ReadonlySet<string> = new Set(Object.values(ITEM));

/** What the metadata say. Plain data; sizes in bytes. */
export interface VhdxMetadata {
  /** The size of the disk. */
  readonly size: number;
  readonly blockSize: number;
  /** 512 or 4096. */
  readonly sectorSize: number;
  /** The texts of the parent's locator; `null` if it has no parent. */
  readonly parent: ReadonlyMap<string, string> | null;
}

/**
 * Reads the metadata.
 *
 * @param file The image's file, as its log leaves it.
 * @param region Where they are.
 * @param name The image's name in errors.
 * @throws {UserError} If they make no sense, or an item is unknown and required.
 */
export async function readMetadata(
  file: Backend,
  region: Region,
  name: string,
): Promise<VhdxMetadata> {
  const items = await readItems(file, region, name);
  const parameters = itemOf(items, ITEM.FILE_PARAMETERS, 8, name);
  const blockSize = parameters.view.getUint32(0, true);
  const hasParent = (parameters.view.getUint32(4, true) & 2) !== 0;
  const isPowerOfTwo = (blockSize & (blockSize - 1)) === 0;
  if (!isPowerOfTwo || blockSize < MIB || blockSize > BLOCK_MAX) {
    throw refusal(name, `its blocks have ${blockSize} bytes`);
  }
  const sectors = itemOf(items, ITEM.LOGICAL_SECTOR, 4, name);
  const sectorSize = sectors.view.getUint32(0, true);
  if (sectorSize !== 512 && sectorSize !== 4096) {
    throw refusal(name, `its sectors have ${sectorSize} bytes`);
  }
  const { view } = itemOf(items, ITEM.DISK_SIZE, 8, name);
  const size = view.getBigUint64(0, true);
  if (size > BigInt(DISK_MAX) || size % BigInt(sectorSize) !== 0n) {
    throw refusal(name, `the disk has ${size} bytes`);
  }
  const locator = hasParent
    ? itemOf(items, ITEM.PARENT_LOCATOR, 20, name)
    : null;
  return {
    size: Number(size),
    blockSize,
    sectorSize,
    parent: locator === null ? null : parseParentLocator(locator, name),
  };
}

async function readItems(
  file: Backend,
  { offset, length }: Region,
  name: string,
): Promise<Map<string, Structure>> {
  const table = await readStructure(file, offset, TABLE_BYTES, name);
  if (signatureOf(table.bytes, 0, 8) !== SIGNATURE) {
    throw refusal(name, "its metadata have no table");
  }
  const count = table.view.getUint16(10, true);
  if (count > ENTRIES_MAX) {
    throw refusal(name, `it has ${count} items of metadata`);
  }
  const items = new Map<string, Structure>();
  for (let i = 0; i < count; i++) {
    const at = 32 + i * ENTRY_BYTES;
    const id = uuidOf(table.bytes, at);
    if (!KNOWN.has(id)) {
      const isRequired = (table.view.getUint32(at + 24, true) & REQUIRED) !== 0;
      if (!isRequired) continue;
      const advice = "open it with the program that made it";
      throw refusal(
        name,
        `it needs metadata of the unknown kind ${id}`,
        advice,
      );
    }
    const from = table.view.getUint32(at + 16, true);
    const bytes = table.view.getUint32(at + 20, true);
    const isPlaced = bytes <= ITEM_MAX && from >= TABLE_BYTES &&
      from + bytes <= length;
    if (!isPlaced || items.has(id)) {
      throw refusal(name, `the item ${id} of its metadata makes no sense`);
    }
    items.set(id, await readStructure(file, offset + from, bytes, name));
  }
  return items;
}

function itemOf(
  items: ReadonlyMap<string, Structure>,
  id: string,
  least: number,
  name: string,
): Structure {
  const item = items.get(id);
  if (item !== undefined && item.bytes.length >= least) return item;
  throw refusal(name, `the item ${id} of its metadata is missing`);
}
