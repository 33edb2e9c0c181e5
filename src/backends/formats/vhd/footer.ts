/**
 * The footer of a VHD image: Microsoft's Virtual Hard Disk Image Format
 * Specification 1.0, "Hard Disk Footer Format". Numbers are big-endian.
 *
 * @module
 */
import type { Backend } from "../../backend.ts";
import { readFully } from "../../read_fully.ts";
import { SIZE_MAX } from "../../size.ts";
import { isSumRight } from "./checksum.ts";
import { refusal } from "./refusal.ts";

/** The unit of sizes and positions. */
export const SECTOR = 512;
const FOOTER_BYTES = 512;
const COOKIE = "conectix";
const CHECKSUM_AT = 64;
/** The largest geometry: larger disks have it too. */
const GEOMETRY_MAX = 65_535 * 16 * 255;
/** Programs whose disks are as large as their geometry. */
const BY_GEOMETRY: ReadonlySet<string> = new Set(["vpc ", "qemu"]);

/** The kinds of images. */
export const VHD_KIND = { FIXED: 2, DYNAMIC: 3, DIFFERENCING: 4 } as const;

/** A valid footer. Plain data; sizes in bytes. */
export interface VhdFooter {
  /** One of {@linkcode VHD_KIND}. */
  readonly kind: typeof VHD_KIND[keyof typeof VHD_KIND];
  /** The size of the disk. */
  readonly size: number;
  /** The size that the footer gives, and that of the geometry. */
  readonly currentSize: number;
  readonly geometrySize: number;
  /** Four characters that name the program that made the image. */
  readonly creator: string;
  /** 32 hexadecimal digits. */
  readonly id: string;
  /** Where the header of an image with a table is. */
  readonly headerOffset: number;
}

/** Where the footer is, and whether it is the copy at the start. */
export interface FoundFooter {
  readonly footer: VhdFooter;
  /** Where it starts. */
  readonly at: number;
  readonly isCopy: boolean;
}

/**
 * Finds the footer: in the last 512 bytes, or 511 as images before 2004 have it;
 * else its copy, with which images that are not fixed begin.
 *
 * @param file The image's file.
 * @param name Its name in errors.
 * @throws {UserError} If there is none that is sound, or it is of no known kind.
 */
export async function readFooter(
  file: Backend,
  name: string,
): Promise<FoundFooter> {
  const { size } = await file.stat();
  let damaged = false;
  for (const at of [size - FOOTER_BYTES, size - FOOTER_BYTES + 1, 0]) {
    if (at < 0) continue;
    const bytes = new Uint8Array(FOOTER_BYTES);
    const wanted = Math.min(FOOTER_BYTES, size - at);
    const got = await readFully(file, at, bytes, 0, wanted);
    if (got < 0) throw refusal(name, "its footer cannot be read");
    if (textOf(bytes, 0, 8) !== COOKIE) continue;
    damaged = true;
    if (!isSumRight(bytes, CHECKSUM_AT)) continue;
    const footer = parseFooter(bytes, name);
    // A disk may begin with the bytes of another image.
    if (at === 0 && footer.kind === VHD_KIND.FIXED) continue;
    return { footer, at, isCopy: at === 0 };
  }
  if (damaged) throw refusal(name, "the checksum of its footer is wrong");
  throw refusal(
    name,
    "it has no footer",
    "name its format, or leave the prefix out if it is raw",
  );
}

function parseFooter(
  bytes: Uint8Array<ArrayBuffer>,
  name: string,
): VhdFooter {
  const view = new DataView(bytes.buffer);
  const kind = view.getUint32(60);
  const version = view.getUint32(12);
  if (version >>> 16 !== 1) {
    throw refusal(name, `its version is ${version.toString(16)}, not 1.0`);
  }
  const known = Object.values(VHD_KIND).find((each) => each === kind);
  if (known === undefined) throw refusal(name, `it is of the kind ${kind}`);
  const current = view.getBigUint64(48);
  if (current > BigInt(SIZE_MAX)) {
    throw refusal(name, `it has ${current} bytes`);
  }
  const currentSize = Number(current / BigInt(SECTOR)) * SECTOR;
  const sectors = view.getUint16(56) * view.getUint8(58) * view.getUint8(59);
  const geometrySize = sectors * SECTOR;
  const creator = textOf(bytes, 28, 4);
  const headerOffset = view.getBigUint64(16);
  return {
    kind: known,
    size: sizeOf({ currentSize, geometrySize, sectors, creator }),
    currentSize,
    geometrySize,
    creator,
    id: hexOf(bytes.subarray(68, 84)),
    headerOffset: headerOffset > BigInt(SIZE_MAX) ? 0 : Number(headerOffset),
  };
}

/**
 * The size of the disk. Virtual PC, and QEMU without force_size, show a disk as
 * large as its geometry; Hyper-V and all others one of the current size. A
 * geometry that is the largest one says nothing.
 */
function sizeOf(
  { currentSize, geometrySize, sectors, creator }:
    & Pick<VhdFooter, "currentSize" | "geometrySize" | "creator">
    & { readonly sectors: number },
): number {
  const countsGeometry = BY_GEOMETRY.has(creator) && sectors > 0 &&
    sectors < GEOMETRY_MAX;
  return countsGeometry ? geometrySize : currentSize;
}

/** Bytes as characters from U+0000 to U+00FF. */
export function textOf(bytes: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + length));
}

/** Bytes as hexadecimal digits. */
export function hexOf(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
