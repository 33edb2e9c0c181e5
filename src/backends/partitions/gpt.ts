/**
 * GUID partition tables: UEFI specification 2.10, section 5.3. A disk has two
 * copies, each with checks of its header and of its entries.
 *
 * @module
 */
import { crc32 } from "../crc32.ts";
import { SIZE_MAX } from "../size.ts";
import {
  type Partition,
  type PartitionedDisk,
  type PartitionTable,
  readTable,
} from "./partition_table.ts";
import { gptTypeName } from "./type_names.ts";
import { uuidOf } from "../uuid.ts";

const SIGNATURE = "EFI PART";
const HEADER_BYTES = 92;
const CRC_AT = 16;
const ENTRY_BYTES_MIN = 128;
/** Bytes of all entries at most: 256 times what disks have. */
const ENTRIES_BYTES_MAX = 4 << 20;
const SECTOR_SIZES = [512, 4096] as const;
const NO_TYPE = "00000000-0000-0000-0000-000000000000";

/** One copy of a table: sound, damaged, or not there. */
type Copy =
  | { readonly state: "absent" }
  | { readonly state: "damaged"; readonly why: string }
  | {
    readonly state: "sound";
    /** Where the other copy is, in sectors. */
    readonly alternate: number;
    readonly entryBytes: number;
    readonly entries: Uint8Array<ArrayBuffer>;
  };

/** Why a table cannot be used. */
export interface DamagedGpt {
  readonly damage: string;
}

/**
 * Reads the table of a disk.
 *
 * @returns `null` if there is none; what is wrong if no copy is sound.
 * @throws {UserError} If it cannot be read.
 */
export async function readGpt(
  disk: PartitionedDisk,
): Promise<PartitionTable | DamagedGpt | null> {
  let damage: string | null = null;
  for (const sectorSize of SECTOR_SIZES) {
    const last = Math.floor(disk.size / sectorSize) - 1;
    if (last < 2) continue;
    const primary = await readCopy(disk, 1, sectorSize);
    const at = primary.state === "sound" ? primary.alternate : last;
    const backup = await readCopy(disk, at, sectorSize);
    const remarks = [
      ...remarkOn("primary", primary),
      ...remarkOn("backup", backup),
    ];
    const copy = primary.state === "sound" ? primary : backup;
    if (copy.state === "sound") {
      const table = partitionsOf(copy.entries, copy.entryBytes, sectorSize);
      const { partitions } = table;
      if (remarks.length > 0) {
        const used = copy === primary ? "primary" : "backup";
        remarks.push(
          `its ${used} copy is used; 'gdisk' repairs the table of a disk that is not in use`,
        );
      }
      return {
        kind: "gpt",
        sectorSize,
        partitions,
        remarks: [...remarks, ...table.remarks],
      };
    }
    const isThere = primary.state === "damaged" || backup.state === "damaged";
    if (isThere) damage ??= remarks.join(", and ");
  }
  return damage === null ? null : { damage };
}

function remarkOn(which: string, copy: Copy): string[] {
  switch (copy.state) {
    case "sound":
      return [];
    case "absent":
      return [`the ${which} GPT is missing`];
    case "damaged":
      return [`the ${which} GPT is damaged: ${copy.why}`];
  }
}

/** Reads and checks one copy. */
async function readCopy(
  disk: PartitionedDisk,
  lba: number,
  sectorSize: number,
): Promise<Copy> {
  const bytes = await readTable(disk, lba * sectorSize, sectorSize);
  if (bytes.length < HEADER_BYTES) return { state: "absent" };
  const view = new DataView(bytes.buffer);
  const signature = String.fromCharCode(...bytes.subarray(0, 8));
  if (signature !== SIGNATURE) return { state: "absent" };
  const damaged = (why: string): Copy => ({ state: "damaged", why });
  const length = view.getUint32(12, true);
  if (length < HEADER_BYTES || length > sectorSize) {
    return damaged(`its header has ${length} bytes`);
  }
  const header = bytes.slice(0, length);
  header.fill(0, CRC_AT, CRC_AT + 4);
  if (crc32(header) !== view.getUint32(CRC_AT, true)) {
    return damaged("the check of its header fails");
  }
  if (view.getBigUint64(24, true) !== BigInt(lba)) {
    return damaged(`its header says that it is in another sector than ${lba}`);
  }
  const count = view.getUint32(80, true);
  const entryBytes = view.getUint32(84, true);
  const isSize = entryBytes >= ENTRY_BYTES_MIN && entryBytes % 8 === 0;
  if (!isSize || count * entryBytes > ENTRIES_BYTES_MAX) {
    return damaged(`it has ${count} entries of ${entryBytes} bytes`);
  }
  const entriesAt = view.getBigUint64(72, true) * BigInt(sectorSize);
  const entriesEnd = entriesAt + BigInt(count * entryBytes);
  if (entriesEnd > BigInt(disk.size)) {
    return damaged("its entries lie beyond the end of the disk");
  }
  const entries = await readTable(
    disk,
    Number(entriesAt),
    count * entryBytes,
  );
  if (crc32(entries) !== view.getUint32(88, true)) {
    return damaged("the check of its entries fails");
  }
  const alternate = view.getBigUint64(32, true);
  const isInside = alternate * BigInt(sectorSize) < BigInt(disk.size);
  return {
    state: "sound",
    // A copy beyond the end is not there; neither is one in the last sector.
    alternate: isInside
      ? Number(alternate)
      : Math.floor(disk.size / sectorSize) - 1,
    entryBytes,
    entries,
  };
}

function partitionsOf(
  entries: Uint8Array<ArrayBuffer>,
  entryBytes: number,
  sectorSize: number,
): Pick<PartitionTable, "partitions" | "remarks"> {
  const partitions: Partition[] = [];
  const remarks: string[] = [];
  const view = new DataView(entries.buffer);
  for (let at = 0; at < entries.length; at += entryBytes) {
    const type = uuidOf(entries, at);
    if (type === NO_TYPE) continue;
    const number = at / entryBytes + 1;
    const first = view.getBigUint64(at + 32, true) * BigInt(sectorSize);
    const end = (view.getBigUint64(at + 40, true) + 1n) * BigInt(sectorSize);
    if (first >= end || end > BigInt(SIZE_MAX)) {
      remarks.push(
        `partition ${number} is left out: it starts at byte ${first} and ends at ${end}`,
      );
      continue;
    }
    partitions.push({
      number,
      offset: Number(first),
      size: Number(end - first),
      type,
      typeName: gptTypeName(type),
      name: nameOf(entries.subarray(at + 56, at + 128)),
      uuid: uuidOf(entries, at + 16),
      isExtended: false,
    });
  }
  return { partitions, remarks };
}

/** A name of up to 36 units of UTF-16; `null` if it is empty. */
function nameOf(bytes: Uint8Array): string | null {
  const text = new TextDecoder("utf-16le", { ignoreBOM: true }).decode(bytes);
  const [name = ""] = text.split("\0");
  return name === "" ? null : name;
}
