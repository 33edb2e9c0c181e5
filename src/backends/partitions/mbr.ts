/**
 * Partition tables of DOS: four entries in the first sector, and a chain of
 * sectors with the logical partitions. The rules are those of the kernel's
 * block/partitions/msdos.c.
 *
 * @module
 */
import {
  type Partition,
  type PartitionedDisk,
  readTable,
} from "./partition_table.ts";
import { mbrTypeName } from "./type_names.ts";

/** Bytes of a sector that has entries. */
export const MBR_BYTES = 512;
const ENTRIES_AT = 446;
const ENTRY_BYTES = 16;
const ENTRIES = 4;
const DISK_ID_AT = 440;
const EXTENDED: ReadonlySet<number> = new Set([0x05, 0x0f, 0x85]);
/** Of the entry that covers a disk with a GPT. */
const PROTECTIVE = 0xee;
/** Logical partitions at most; the kernel takes 100. */
const LOGICAL_MAX = 100;

/** An entry in use. Positions and lengths are in sectors. */
interface Entry {
  /** 0 to 3. */
  readonly index: number;
  readonly type: number;
  readonly start: number;
  readonly length: number;
}

/** The first sector of a disk. */
export interface Mbr {
  /** The disk's identifier, eight hexadecimal digits; `null` if it is 0. */
  readonly diskId: string | null;
  readonly entries: readonly Entry[];
  /** Whether an entry says that the disk has a GPT. */
  readonly isProtective: boolean;
}

/** The partitions, and what is wrong with them. */
export interface MbrPartitions {
  readonly partitions: readonly Partition[];
  readonly remarks: readonly string[];
}

/**
 * Parses the first sector of a disk.
 *
 * @returns `null` if it has no table: the boot sector of a file system has the
 * same signature, and code where a table would be.
 */
export function parseMbr(sector: Uint8Array<ArrayBuffer>): Mbr | null {
  const entries = entriesOf(sector);
  if (entries === null || entries.length === 0) return null;
  const id = viewOf(sector).getUint32(DISK_ID_AT, true);
  return {
    diskId: id === 0 ? null : id.toString(16).padStart(8, "0"),
    entries,
    isProtective: entries.some(({ type }) => type === PROTECTIVE),
  };
}

/** The entries in use; `null` if the sector has no table. */
function entriesOf(sector: Uint8Array<ArrayBuffer>): Entry[] | null {
  if (sector.length < MBR_BYTES) return null;
  if (sector[510] !== 0x55 || sector[511] !== 0xaa) return null;
  const view = viewOf(sector);
  const entries: Entry[] = [];
  for (let index = 0; index < ENTRIES; index++) {
    const at = ENTRIES_AT + index * ENTRY_BYTES;
    // The boot indicator has no other bits.
    if ((sector[at]! & 0x7f) !== 0) return null;
    const type = sector[at + 4]!;
    const start = view.getUint32(at + 8, true);
    const length = view.getUint32(at + 12, true);
    if (type !== 0 && length !== 0) {
      entries.push({ index, type, start, length });
    }
  }
  return entries;
}

/**
 * The partitions of a table, with the logical ones.
 *
 * @param disk The disk.
 * @param mbr Its first sector.
 * @param sectorSize The unit of its positions, in bytes.
 * @throws {UserError} If a sector with entries cannot be read.
 */
export async function mbrPartitions(
  disk: PartitionedDisk,
  { diskId, entries }: Mbr,
  sectorSize: number,
): Promise<MbrPartitions> {
  const make = (number: number, type: number, start: number, length: number) =>
    partitionOf({ number, type, start, length, sectorSize, diskId });
  const primary = entries.map(({ index, type, start, length }) =>
    make(index + 1, type, start, length)
  );
  const logical: Partition[] = [];
  const remarks: string[] = [];
  for (const extended of entries) {
    if (!EXTENDED.has(extended.type)) continue;
    const chain = new LogicalChain(disk, extended, sectorSize);
    for await (const { type, start, length } of chain.entries()) {
      if (logical.length === LOGICAL_MAX) {
        chain.remark = `only its first ${LOGICAL_MAX} logical partitions count`;
        break;
      }
      logical.push(make(5 + logical.length, type, start, length));
    }
    if (chain.remark !== null) remarks.push(chain.remark);
  }
  return { partitions: [...primary, ...logical], remarks };
}

/** The sectors with the entries of the logical partitions. */
class LogicalChain {
  /** Why it ended too early; `null` if it did not. */
  remark: string | null = null;
  readonly #disk: PartitionedDisk;
  readonly #extended: Entry;
  readonly #sectorSize: number;

  constructor(disk: PartitionedDisk, extended: Entry, sectorSize: number) {
    this.#disk = disk;
    this.#extended = extended;
    this.#sectorSize = sectorSize;
  }

  /** The logical partitions, with positions on the disk. */
  async *entries(): AsyncGenerator<Omit<Entry, "index">> {
    const { start: first, length: total } = this.#extended;
    const seen = new Set<number>();
    // The kernel looks at each entry of a sector, and so does this.
    for (let at = first;;) {
      if (seen.has(at)) {
        return this.#end(`leads back to sector ${at}`);
      }
      seen.add(at);
      const sector = await readTable(
        this.#disk,
        at * this.#sectorSize,
        MBR_BYTES,
      );
      const entries = entriesOf(sector);
      if (entries === null) {
        return this.#end(`leads to sector ${at}, which has no table`);
      }
      for (const { index, type, start, length } of entries) {
        const from = at + start;
        const isInside = from >= first && from + length <= first + total;
        if (EXTENDED.has(type) || (index >= 2 && !isInside)) continue;
        yield { type, start: from, length };
      }
      const next = entries.find(({ type }) => EXTENDED.has(type));
      if (next === undefined) return;
      at = first + next.start;
      if (seen.size > 2 * LOGICAL_MAX) return this.#end("is too long");
    }
  }

  #end(why: string): void {
    this.remark =
      `the chain of logical partitions ${why}, so some may be missing`;
  }
}

function partitionOf(
  { number, type, start, length, sectorSize, diskId }: Omit<Entry, "index"> & {
    readonly number: number;
    readonly sectorSize: number;
    readonly diskId: string | null;
  },
): Partition {
  const digits = type.toString(16).padStart(2, "0");
  const isExtended = EXTENDED.has(type);
  return {
    number,
    offset: start * sectorSize,
    size: length * sectorSize,
    type: digits,
    typeName: mbrTypeName(digits),
    name: null,
    uuid: diskId === null
      ? null
      : `${diskId}-${number.toString(16).padStart(2, "0")}`,
    isExtended,
  };
}

function viewOf(bytes: Uint8Array<ArrayBuffer>): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
