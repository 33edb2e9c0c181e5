/**
 * VHDX images, made byte by byte: also of the kinds that QEMU's tools do not
 * make.
 *
 * @module
 */
import { checkOf } from "../../../src/backends/formats/vhdx/structure.ts";
import { utf16 } from "../vhd/_build_vhd.ts";

const MIB = 1 << 20;
const KIB = 1 << 10;

/** What an image is to be. Sizes in bytes. */
export interface VhdxPlan {
  readonly size: number;
  /** A power of two from 1 MiB on, which is the default. */
  readonly blockSize?: number;
  readonly sectorSize?: 512 | 4096;
  /** The state of each block, by its number; 6 (present) if left out. */
  readonly stateOf?: (block: number) => number;
  /** Which sectors of blocks in the state 7 are there; each if left out. */
  readonly hasSector?: (sector: number) => boolean;
  /** A byte of the disk; never 0 by default. */
  readonly byteAt?: (position: number) => number;
  /** The texts of the parent's locator; no parent if left out. */
  readonly parent?: Readonly<Record<string, string>>;
  /** What each byte of the id of the data is. */
  readonly dataWriteId?: number;
  /** Entries of the log, in order; it is empty if left out. */
  readonly log?: readonly LogPlan[];
}

/** An entry of the log. */
export interface LogPlan {
  readonly sequence: bigint;
  /** Where it is in the log; after the last one if left out. */
  readonly at?: number;
  /** Where its sequence begins; where the first one is if left out. */
  readonly tail?: number;
  readonly flushedSize?: number;
  readonly lastSize?: number;
  /** Sectors of the file that it writes, or ranges that it zeroes. */
  readonly changes: readonly {
    readonly offset: number;
    /** 4096 bytes; zeroes if left out. */
    readonly data?: Uint8Array;
    readonly length?: number;
  }[];
}

/** Where the parts of an image are. */
export const VHDX_AT = {
  HEADERS: [64 * KIB, 128 * KIB],
  REGIONS: [192 * KIB, 256 * KIB],
  LOG: MIB,
  TABLE: 2 * MIB,
  METADATA: 3 * MIB,
  /** The bitmaps, and then the blocks. */
  BLOCKS: 4 * MIB,
} as const;
const LOG_ID = 0x77;

/** A byte other than 0 for each position. */
export function vhdxByte(position: number): number {
  return 1 + position % 253;
}

/** The entry of a block in the table: before it are those of bitmaps. */
export function entryAt(plan: VhdxPlan, block: number): number {
  const { sectorSize = 512, blockSize = MIB } = plan;
  const chunkBlocks = 2 ** 23 * sectorSize / blockSize;
  return VHDX_AT.TABLE + 8 * (block + Math.floor(block / chunkBlocks));
}

/** Makes an image. */
export function buildVhdx(plan: VhdxPlan): Uint8Array<ArrayBuffer> {
  const { size, blockSize = MIB, sectorSize = 512 } = plan;
  const { stateOf = () => 6, hasSector = () => true } = plan;
  const { byteAt = vhdxByte } = plan;
  const blocks = Math.ceil(size / blockSize);
  const chunkBlocks = 2 ** 23 * sectorSize / blockSize;
  const chunks = Math.ceil(blocks / chunkBlocks);
  const present = [...Array(blocks).keys()].filter((i) => stateOf(i) >= 6);
  const hasBitmaps = plan.parent !== undefined;
  const firstBlock = VHDX_AT.BLOCKS + (hasBitmaps ? chunks * MIB : 0);
  const file = new Uint8Array(firstBlock + present.length * blockSize);
  const view = new DataView(file.buffer);
  file.set(ascii("vhdxfile"));
  writeHeaders(file, plan);
  writeRegions(file);
  writeMetadata(file, plan);
  writeLog(file, plan.log ?? []);
  for (let block = 0; block < blocks; block++) {
    const state = stateOf(block);
    const at = firstBlock + present.indexOf(block) * blockSize;
    const place = state >= 6 ? BigInt(at / MIB) << 20n : 0n;
    view.setBigUint64(entryAt(plan, block), place | BigInt(state), true);
    if (state < 6) continue;
    for (let i = 0; i < blockSize && block * blockSize + i < size; i++) {
      file[at + i] = byteAt(block * blockSize + i);
    }
  }
  for (let chunk = 0; hasBitmaps && chunk < chunks; chunk++) {
    const at = VHDX_AT.BLOCKS + chunk * MIB;
    const entry = (chunk + 1) * (chunkBlocks + 1) - 1;
    const value = BigInt(at / MIB) << 20n | 6n;
    view.setBigUint64(VHDX_AT.TABLE + 8 * entry, value, true);
    const first = chunk * chunkBlocks * blockSize / sectorSize;
    for (let i = 0; i < 8 * MIB && (first + i) * sectorSize < size; i++) {
      if (hasSector(first + i)) file[at + (i >> 3)]! |= 1 << (i & 7);
    }
  }
  return file;
}

/**
 * Makes the checks of an image right again, after a change of it.
 *
 * @param file The image.
 * @param touch Is told of each range before it is changed.
 */
export function sealVhdx(
  file: Uint8Array<ArrayBuffer>,
  touch: (at: number, length: number) => void = () => {},
): void {
  const view = new DataView(file.buffer);
  const seal = (at: number, length: number) => {
    if (at + length > file.length) return;
    touch(at + 4, 4);
    view.setUint32(at + 4, checkOf(file.subarray(at, at + length)), true);
  };
  for (const at of VHDX_AT.HEADERS) seal(at, 4096);
  for (const at of VHDX_AT.REGIONS) seal(at, 64 * KIB);
  for (let at = VHDX_AT.LOG; at < VHDX_AT.LOG + MIB; at += 4096) {
    if (at + 4096 > file.length) return;
    const isEntry = view.getUint32(at, true) === 0x6567_6f6c;
    const length = view.getUint32(at + 8, true);
    if (isEntry && at + length <= VHDX_AT.LOG + MIB) seal(at, length);
  }
}

function writeHeaders(file: Uint8Array<ArrayBuffer>, plan: VhdxPlan): void {
  const view = new DataView(file.buffer);
  for (const [i, at] of VHDX_AT.HEADERS.entries()) {
    file.set(ascii("head"), at);
    view.setBigUint64(at + 8, BigInt(5 + i), true);
    file.fill(plan.dataWriteId ?? 9, at + 32, at + 48);
    if (plan.log !== undefined) file.fill(LOG_ID, at + 48, at + 64);
    view.setUint16(at + 66, 1, true);
    view.setUint32(at + 68, MIB, true);
    view.setBigUint64(at + 72, BigInt(VHDX_AT.LOG), true);
    view.setUint32(at + 4, checkOf(file.subarray(at, at + 4096)), true);
  }
}

function writeRegions(file: Uint8Array<ArrayBuffer>): void {
  const view = new DataView(file.buffer);
  const regions = [
    ["2dc27766-f623-4200-9d64-115e9bfd4a08", VHDX_AT.TABLE],
    ["8b7ca206-4790-4b9a-b8fe-575f050f886e", VHDX_AT.METADATA],
  ] as const;
  for (const at of VHDX_AT.REGIONS) {
    file.set(ascii("regi"), at);
    view.setUint32(at + 8, regions.length, true);
    for (const [i, [id, offset]] of regions.entries()) {
      const entry = at + 16 + 32 * i;
      file.set(uuidBytes(id), entry);
      view.setBigUint64(entry + 16, BigInt(offset), true);
      view.setUint32(entry + 24, MIB, true);
      view.setUint32(entry + 28, 1, true);
    }
    view.setUint32(at + 4, checkOf(file.subarray(at, at + 64 * KIB)), true);
  }
}

function writeMetadata(file: Uint8Array<ArrayBuffer>, plan: VhdxPlan): void {
  const { size, blockSize = MIB, sectorSize = 512, parent } = plan;
  const number = (value: number, length: 4 | 8) => {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
    return bytes.subarray(0, length);
  };
  const parameters = new Uint8Array(8);
  parameters.set(number(blockSize, 4));
  parameters[4] = parent === undefined ? 0 : 2;
  const items: [string, Uint8Array][] = [
    ["caa16737-fa36-4d43-b3b6-33f0aa44e76b", parameters],
    ["2fa54224-cd1b-4876-b211-5dbed83bf4b8", number(size, 8)],
    ["beca12ab-b2e6-4523-93ef-c309e000c746", new Uint8Array(16).fill(3)],
    ["8141bf1d-a96f-4709-ba47-f233a8faab5f", number(sectorSize, 4)],
    ["cda348c7-445d-4471-9cc9-e9885251c556", number(4096, 4)],
  ];
  if (parent !== undefined) {
    const id = "a8d35f2d-b30b-454d-abf7-d3d84834ab0c";
    items.push([id, locatorOf(parent)]);
  }
  const table = VHDX_AT.METADATA;
  const view = new DataView(file.buffer);
  file.set(ascii("metadata"), table);
  view.setUint16(table + 10, items.length, true);
  let from = 64 * KIB;
  for (const [i, [id, bytes]] of items.entries()) {
    const entry = table + 32 + 32 * i;
    file.set(uuidBytes(id), entry);
    view.setUint32(entry + 16, from, true);
    view.setUint32(entry + 20, bytes.length, true);
    view.setUint32(entry + 24, 4, true);
    file.set(bytes, table + from);
    from += bytes.length;
  }
}

function locatorOf(texts: Readonly<Record<string, string>>): Uint8Array {
  const entries = Object.entries(texts).map(([key, value]) =>
    [utf16(key), utf16(value)] as const
  );
  const bytes = new Uint8Array(2048);
  const view = new DataView(bytes.buffer);
  bytes.set(uuidBytes("b04aefb7-d19e-4a81-b789-25b8e9445913"));
  view.setUint16(18, entries.length, true);
  let from = 20 + 12 * entries.length;
  for (const [i, [key, value]] of entries.entries()) {
    const at = 20 + 12 * i;
    view.setUint32(at, from, true);
    view.setUint32(at + 4, from + key.length, true);
    view.setUint16(at + 8, key.length, true);
    view.setUint16(at + 10, value.length, true);
    bytes.set(key, from);
    bytes.set(value, from + key.length);
    from += key.length + value.length;
  }
  return bytes;
}

function writeLog(
  file: Uint8Array<ArrayBuffer>,
  entries: readonly LogPlan[],
): void {
  let next = 0;
  for (const plan of entries) {
    const at = plan.at ?? next;
    const bytes = logEntry(plan, plan.tail ?? entries[0]!.at ?? 0);
    for (let i = 0; i < bytes.length; i++) {
      file[VHDX_AT.LOG + (at + i) % MIB] = bytes[i]!;
    }
    next = (at + bytes.length) % MIB;
  }
}

function logEntry(plan: LogPlan, tail: number): Uint8Array<ArrayBuffer> {
  const { sequence, changes, flushedSize = 0, lastSize = 0 } = plan;
  const descriptors = Math.ceil((64 + 32 * changes.length) / 4096);
  const data = changes.filter((change) => change.data !== undefined);
  const bytes = new Uint8Array(4096 * (descriptors + data.length));
  const view = new DataView(bytes.buffer);
  bytes.set(ascii("loge"));
  view.setUint32(8, bytes.length, true);
  view.setUint32(12, tail, true);
  view.setBigUint64(16, sequence, true);
  view.setUint32(24, changes.length, true);
  bytes.fill(LOG_ID, 32, 48);
  view.setBigUint64(48, BigInt(flushedSize), true);
  view.setBigUint64(56, BigInt(lastSize), true);
  let dataAt = 4096 * descriptors;
  for (const [i, { offset, data, length = 4096 }] of changes.entries()) {
    const at = 64 + 32 * i;
    bytes.set(ascii(data === undefined ? "zero" : "desc"), at);
    view.setBigUint64(at + 16, BigInt(offset), true);
    view.setBigUint64(at + 24, sequence, true);
    if (data === undefined) {
      view.setBigUint64(at + 8, BigInt(length), true);
      continue;
    }
    bytes.set(data.subarray(4092), at + 4);
    bytes.set(data.subarray(0, 8), at + 8);
    bytes.set(data, dataAt);
    bytes.set(ascii("data"), dataAt);
    view.setUint32(dataAt + 4, Number(sequence >> 32n), true);
    view.setUint32(dataAt + 4092, Number(sequence & 0xffff_ffffn), true);
    dataAt += 4096;
  }
  view.setUint32(4, checkOf(bytes), true);
  return bytes;
}

/** The bytes of a UUID, whose first three fields are little-endian. */
function uuidBytes(text: string): Uint8Array {
  const bytes = Uint8Array.from(
    text.replaceAll("-", "").match(/../g)!,
    (digits) => parseInt(digits, 16),
  );
  bytes.subarray(0, 4).reverse();
  bytes.subarray(4, 6).reverse();
  bytes.subarray(6, 8).reverse();
  return bytes;
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
