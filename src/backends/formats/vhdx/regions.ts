/**
 * The regions of a VHDX image: [MS-VHDX] 2.2.3. Its table has a copy.
 *
 * @module
 */
import type { Backend } from "../../backend.ts";
import { uuidOf } from "../../uuid.ts";
import type { VhdxHeader } from "./header.ts";
import { refusal } from "./refusal.ts";
import {
  isSound,
  MIB,
  numberAt,
  readStructure,
  type Structure,
} from "./structure.ts";

const TABLES_AT = [192 << 10, 256 << 10] as const;
const TABLE_BYTES = 64 << 10;
const ENTRIES_MAX = 2047;
const ENTRY_BYTES = 32;
const BAT = "2dc27766-f623-4200-9d64-115e9bfd4a08";
const METADATA = "8b7ca206-4790-4b9a-b8fe-575f050f886e";

/** A part of the file, in bytes. */
export interface Region {
  readonly offset: number;
  readonly length: number;
}

/** The regions that a disk needs. */
export interface Regions {
  readonly bat: Region;
  readonly metadata: Region;
}

/**
 * Reads the table of regions.
 *
 * @param file The image's file, as its log leaves it.
 * @param header The image's header.
 * @param name The image's name in errors.
 * @throws {UserError} If no copy is sound, or it makes no sense.
 */
export async function readRegions(
  file: Backend,
  { logOffset, logLength }: VhdxHeader,
  name: string,
): Promise<Regions> {
  const table = await readSound(file, name);
  const count = table.view.getUint32(8, true);
  if (count > ENTRIES_MAX) throw refusal(name, `it has ${count} regions`);
  const found = new Map<string, Region>();
  for (let i = 0; i < count; i++) {
    const at = 16 + i * ENTRY_BYTES;
    const id = uuidOf(table.bytes, at);
    const isRequired = (table.view.getUint32(at + 28, true) & 1) !== 0;
    const isKnown = id === BAT || id === METADATA;
    if (!isKnown && isRequired) {
      const advice = "open it with the program that made it";
      throw refusal(
        name,
        `it needs a region of the unknown kind ${id}`,
        advice,
      );
    }
    if (isKnown && found.has(id)) throw refusal(name, `two regions are ${id}`);
    if (isKnown) found.set(id, regionAt(table, at, name));
  }
  const bat = found.get(BAT);
  const metadata = found.get(METADATA);
  if (bat === undefined || metadata === undefined) {
    throw refusal(name, "a region that it needs is missing");
  }
  const { size } = await file.stat();
  for (const { offset, length } of [bat, metadata]) {
    if (offset + length <= size) continue;
    const why = `its region at byte ${offset} lies beyond the end of its file`;
    throw refusal(name, why);
  }
  const log = { offset: logOffset, length: logLength };
  const all = [log, bat, metadata].toSorted((a, b) => a.offset - b.offset);
  for (const [i, each] of all.entries()) {
    const next = all[i + 1]?.offset ?? Infinity;
    if (each.offset + each.length > next) {
      throw refusal(name, "its regions overlap");
    }
  }
  return { bat, metadata };
}

async function readSound(file: Backend, name: string): Promise<Structure> {
  for (const at of TABLES_AT) {
    const table = await readStructure(file, at, TABLE_BYTES, name);
    if (isSound(table, "regi")) return table;
  }
  throw refusal(name, "the checks of both of its tables of regions are wrong");
}

function regionAt(table: Structure, at: number, name: string): Region {
  const offset = numberAt(table, at + 16);
  const length = table.view.getUint32(at + 24, true);
  const isPlaced = offset !== null && offset >= MIB && offset % MIB === 0 &&
    length > 0 && length % MIB === 0;
  if (isPlaced) return { offset, length };
  throw refusal(name, `it has a region of ${length} bytes at byte ${offset}`);
}
