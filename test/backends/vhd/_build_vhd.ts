/**
 * VHD images, made byte by byte: also of the kinds that QEMU's tools do not make.
 *
 * @module
 */
import { sumOf } from "../../../src/backends/formats/vhd/checksum.ts";

const SECTOR = 512;

/** What an image is to be. Sizes in bytes. */
export interface VhdPlan {
  readonly size: number;
  readonly kind: "fixed" | "dynamic" | "differencing";
  /** A power of two; 4096 if left out. */
  readonly blockSize?: number;
  /** Which blocks the image has, by their numbers; each if left out. */
  readonly hasBlock?: (block: number) => boolean;
  /** Which sectors it has in those, by their numbers; each if left out. */
  readonly hasSector?: (sector: number) => boolean;
  /** A byte of the disk; never 0 by default. */
  readonly byteAt?: (position: number) => number;
  readonly id?: number;
  readonly parentId?: number;
  /** The parent's relative path; `null` for none. */
  readonly relativePath?: string | null;
  readonly parentName?: string;
  /** Four characters; Hyper-V's if left out. */
  readonly creator?: string;
  /** Cylinders, heads and sectors of a track. */
  readonly geometry?: readonly [number, number, number];
}

/** Where the parts of an image that is not fixed are. */
export const VHD_AT = {
  HEADER: 512,
  LOCATOR: 1536,
  TABLE: 2048,
} as const;

/** A byte other than 0 for each position. */
export function vhdByte(position: number): number {
  return 1 + position % 251;
}

/** Makes an image. */
export function buildVhd(plan: VhdPlan): Uint8Array<ArrayBuffer> {
  const footer = footerOf(plan);
  const { size, byteAt = vhdByte } = plan;
  if (plan.kind === "fixed") {
    const file = new Uint8Array(size + SECTOR);
    for (let i = 0; i < size; i++) file[i] = byteAt(i);
    file.set(footer, size);
    return file;
  }
  const { blockSize = 4096, hasBlock = () => true } = plan;
  const { hasSector = () => true } = plan;
  const blocks = Math.ceil(size / blockSize);
  const bitmapSize = Math.ceil(blockSize / SECTOR / 8 / SECTOR) * SECTOR;
  const tableSize = Math.ceil(4 * blocks / SECTOR) * SECTOR;
  const first = VHD_AT.TABLE + tableSize;
  const count = Array.from({ length: blocks }, (_, i) => hasBlock(i))
    .filter((has) => has).length;
  const end = first + count * (bitmapSize + blockSize);
  const file = new Uint8Array(end + SECTOR);
  const view = new DataView(file.buffer);
  file.set(footer);
  file.set(headerOf(plan, blocks), VHD_AT.HEADER);
  file.set(utf16(plan.relativePath ?? ""), VHD_AT.LOCATOR);
  file.fill(0xff, VHD_AT.TABLE, first);
  let at = first;
  for (let block = 0; block < blocks; block++) {
    if (!hasBlock(block)) continue;
    view.setUint32(VHD_AT.TABLE + 4 * block, at / SECTOR);
    for (let i = 0; i < blockSize / SECTOR; i++) {
      const sector = block * blockSize / SECTOR + i;
      if (!hasSector(sector)) continue;
      file[at + (i >> 3)]! |= 0x80 >> (i & 7);
      for (let j = 0; j < SECTOR; j++) {
        file[at + bitmapSize + i * SECTOR + j] = byteAt(sector * SECTOR + j);
      }
    }
    at += bitmapSize + blockSize;
  }
  file.set(footer, end);
  return file;
}

/**
 * Makes the checksums of an image right again, after a change of it.
 *
 * @param file The image.
 * @param touch Is told of each range before it is changed.
 */
export function sealVhd(
  file: Uint8Array<ArrayBuffer>,
  touch: (at: number, length: number) => void = () => {},
): void {
  const view = new DataView(file.buffer);
  for (const at of [0, file.length - SECTOR]) {
    if (file[at] !== 0x63) continue;
    touch(at + 64, 4);
    view.setUint32(at + 64, sumOf(file.subarray(at, at + 512), 64));
  }
  const header = file.subarray(VHD_AT.HEADER, VHD_AT.HEADER + 1024);
  if (header[0] === 0x63) {
    touch(VHD_AT.HEADER + 36, 4);
    view.setUint32(VHD_AT.HEADER + 36, sumOf(header, 36));
  }
}

function footerOf(plan: VhdPlan): Uint8Array {
  const { kind, size, creator = "win ", id = 1 } = plan;
  const { geometry = [1, 1, 1] } = plan;
  const footer = new Uint8Array(512);
  const view = new DataView(footer.buffer);
  footer.set(ascii("conectix"));
  view.setUint32(8, 2);
  view.setUint32(12, 0x1_0000);
  const isFixed = kind === "fixed";
  view.setBigUint64(16, isFixed ? 2n ** 64n - 1n : BigInt(VHD_AT.HEADER));
  footer.set(ascii(creator), 28);
  view.setBigUint64(40, BigInt(size));
  view.setBigUint64(48, BigInt(size));
  view.setUint16(56, geometry[0]);
  footer.set([geometry[1], geometry[2]], 58);
  view.setUint32(60, { fixed: 2, dynamic: 3, differencing: 4 }[kind]);
  footer.fill(id, 68, 84);
  view.setUint32(64, sumOf(footer, 64));
  return footer;
}

function headerOf(plan: VhdPlan, blocks: number): Uint8Array {
  const { blockSize = 4096, parentId = 0, relativePath = null } = plan;
  const header = new Uint8Array(1024);
  const view = new DataView(header.buffer);
  header.set(ascii("cxsparse"));
  view.setBigUint64(8, 2n ** 64n - 1n);
  view.setBigUint64(16, BigInt(VHD_AT.TABLE));
  view.setUint32(24, 0x1_0000);
  view.setUint32(28, blocks);
  view.setUint32(32, blockSize);
  header.fill(parentId, 40, 56);
  const name = plan.parentName ?? "";
  for (let i = 0; i < name.length; i++) {
    view.setUint16(64 + 2 * i, name.charCodeAt(i));
  }
  if (relativePath !== null) {
    header.set(ascii("W2ru"), 576);
    view.setUint32(580, 512);
    view.setUint32(584, 2 * relativePath.length);
    view.setBigUint64(592, BigInt(VHD_AT.LOCATOR));
  }
  view.setUint32(36, sumOf(header, 36));
  return header;
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** A text in UTF-16, little-endian. */
export function utf16(text: string): Uint8Array {
  const bytes = new Uint8Array(2 * text.length);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < text.length; i++) {
    view.setUint16(2 * i, text.charCodeAt(i), true);
  }
  return bytes;
}
