/**
 * Partition tables, made byte by byte.
 *
 * @module
 */
import { crc32 } from "../../../src/backends/crc32.ts";

/** An entry of an MBR; positions and lengths in sectors. */
export interface MbrEntry {
  readonly type: number;
  readonly start: number;
  readonly length: number;
}

/** A sector with up to four entries. */
export function buildMbr(
  entries: readonly MbrEntry[],
  diskId: number = 0x1a2b_3c4d,
): Uint8Array<ArrayBuffer> {
  const sector = new Uint8Array(512);
  const view = new DataView(sector.buffer);
  view.setUint32(440, diskId, true);
  for (const [i, { type, start, length }] of entries.entries()) {
    const at = 446 + 16 * i;
    sector[at + 4] = type;
    view.setUint32(at + 8, start, true);
    view.setUint32(at + 12, length, true);
  }
  sector.set([0x55, 0xaa], 510);
  return sector;
}

/** A partition of a GPT; first and last sector. */
export interface GptEntry {
  readonly first: number;
  readonly last: number;
  readonly name?: string;
  /** The bytes of its UUID; by its number if left out. */
  readonly uuid?: Uint8Array;
}

/** What a GPT is to be. */
export interface GptPlan {
  /** Sectors of the disk. */
  readonly sectors: number;
  readonly sectorSize?: number;
  readonly entries: readonly GptEntry[];
}

/** Entries of a table, as usual. */
const ENTRIES = 128;
/** "Linux filesystem". */
const LINUX = Uint8Array.from(
  "af3dc60f83847247 8e793d69d8477de4".replace(" ", "").match(/../g)!,
  (digits) => parseInt(digits, 16),
);

/** A disk with both copies of a GPT, and nothing else. */
export function buildGpt(
  { sectors, sectorSize = 512, entries }: GptPlan,
): Uint8Array<ArrayBuffer> {
  const disk = new Uint8Array(sectors * sectorSize);
  disk.set(buildMbr([{ type: 0xee, start: 1, length: sectors - 1 }], 0));
  const table = tableOf(entries);
  const tableSectors = Math.ceil(table.length / sectorSize);
  const last = sectors - 1;
  const copies = [
    { lba: 1, other: last, tableAt: 2 },
    { lba: last, other: 1, tableAt: last - tableSectors },
  ];
  for (const { lba, other, tableAt } of copies) {
    disk.set(table, tableAt * sectorSize);
    const header = new Uint8Array(92);
    const view = new DataView(header.buffer);
    header.set(new TextEncoder().encode("EFI PART"));
    view.setUint32(8, 0x1_0000, true);
    view.setUint32(12, 92, true);
    view.setBigUint64(24, BigInt(lba), true);
    view.setBigUint64(32, BigInt(other), true);
    view.setBigUint64(40, BigInt(2 + tableSectors), true);
    view.setBigUint64(48, BigInt(last - tableSectors - 1), true);
    view.setBigUint64(72, BigInt(tableAt), true);
    view.setUint32(80, ENTRIES, true);
    view.setUint32(84, 128, true);
    view.setUint32(88, crc32(table), true);
    view.setUint32(16, crc32(header), true);
    disk.set(header, lba * sectorSize);
  }
  return disk;
}

/** Makes the check of a header right again, after a change of it. */
export function sealGptHeader(disk: Uint8Array, at: number): void {
  const header = disk.slice(at, at + 92);
  header.fill(0, 16, 20);
  new DataView(disk.buffer).setUint32(at + 16, crc32(header), true);
}

/**
 * Makes the checks of both copies right again, as far as they can be.
 *
 * @param disk The disk.
 * @param sectorSize Bytes of a sector.
 * @param touch Is told of each range before it is changed.
 */
export function sealGpt(
  disk: Uint8Array<ArrayBuffer>,
  sectorSize: number,
  touch: (at: number, length: number) => void = () => {},
): void {
  const view = new DataView(disk.buffer);
  for (const at of [sectorSize, disk.length - sectorSize]) {
    touch(at, 92);
    const entriesAt = Number(view.getBigUint64(at + 72, true)) * sectorSize;
    const length = view.getUint32(at + 80, true) *
      view.getUint32(at + 84, true);
    if (entriesAt + length <= disk.length) {
      const entries = disk.subarray(entriesAt, entriesAt + length);
      view.setUint32(at + 88, crc32(entries), true);
    }
    sealGptHeader(disk, at);
  }
}

function tableOf(entries: readonly GptEntry[]): Uint8Array<ArrayBuffer> {
  const table = new Uint8Array(ENTRIES * 128);
  const view = new DataView(table.buffer);
  for (const [i, { first, last, name = "", uuid }] of entries.entries()) {
    const at = 128 * i;
    table.set(LINUX, at);
    table.set(uuid ?? new Uint8Array(16).fill(i + 1), at + 16);
    view.setBigUint64(at + 32, BigInt(first), true);
    view.setBigUint64(at + 40, BigInt(last), true);
    for (let j = 0; j < name.length; j++) {
      view.setUint16(at + 56 + 2 * j, name.charCodeAt(j), true);
    }
  }
  return table;
}
