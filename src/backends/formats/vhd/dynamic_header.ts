/**
 * The header of an image with a table: the specification's "Dynamic Disk Header
 * Format".
 *
 * @module
 */
import type { Backend } from "../../backend.ts";
import { readExactly, readFully } from "../../read_fully.ts";
import { isSumRight } from "./checksum.ts";
import { hexOf, SECTOR, textOf } from "./footer.ts";
import { refusal } from "./refusal.ts";

const HEADER_BYTES = 1024;
const COOKIE = "cxsparse";
const CHECKSUM_AT = 36;
const NAME_AT = 64;
const NAME_BYTES = 512;
const LOCATORS_AT = 576;
const LOCATORS = 8;
const LOCATOR_BYTES = 24;
/** Bytes of a name in a locator at most. */
const LOCATOR_MAX = 4096;
/** What Hyper-V makes is 2 MiB. */
const BLOCK_MAX = 256 << 20;
/** Where a relative path of Windows is, in UTF-16, little-endian. */
const RELATIVE = "W2ru";

/** A valid header. Plain data; sizes and positions in bytes. */
export interface VhdHeader {
  readonly tableOffset: number;
  /** Entries that the table has. */
  readonly entries: number;
  readonly blockSize: number;
  /** The id of the parent, 32 hexadecimal digits. */
  readonly parentId: string;
  /** The parent's name as the header has it, "" for none. */
  readonly parentName: string;
  /** Where its relative path is; `null` without one. */
  readonly relativePath:
    | { readonly at: number; readonly length: number }
    | null;
}

/**
 * Reads the header of an image.
 *
 * @param file The image's file.
 * @param at Where it starts.
 * @param name The image's name in errors.
 * @throws {UserError} If it makes no sense.
 */
export async function readDynamicHeader(
  file: Backend,
  at: number,
  name: string,
): Promise<VhdHeader> {
  const { size } = await file.stat();
  const bytes = new Uint8Array(HEADER_BYTES);
  const there = Math.max(0, Math.min(HEADER_BYTES, size - at));
  const got = await readFully(file, at, bytes, 0, there);
  if (got < HEADER_BYTES || textOf(bytes, 0, 8) !== COOKIE) {
    throw refusal(name, `it has no header at byte ${at}`);
  }
  if (!isSumRight(bytes, CHECKSUM_AT)) {
    throw refusal(name, "the checksum of its header is wrong");
  }
  const view = new DataView(bytes.buffer);
  const blockSize = view.getUint32(32);
  const isPowerOfTwo = (blockSize & (blockSize - 1)) === 0;
  if (!isPowerOfTwo || blockSize < SECTOR || blockSize > BLOCK_MAX) {
    throw refusal(name, `its blocks have ${blockSize} bytes`);
  }
  const tableOffset = view.getBigUint64(16);
  if (tableOffset > BigInt(size)) {
    throw refusal(name, `its table is at byte ${tableOffset}`);
  }
  return {
    tableOffset: Number(tableOffset),
    entries: view.getUint32(28),
    blockSize,
    parentId: hexOf(bytes.subarray(40, 56)),
    parentName: utf16(bytes.subarray(NAME_AT, NAME_AT + NAME_BYTES), true),
    relativePath: relativePathOf(view, bytes),
  };
}

function relativePathOf(
  view: DataView,
  bytes: Uint8Array,
): VhdHeader["relativePath"] {
  for (let i = 0; i < LOCATORS; i++) {
    const at = LOCATORS_AT + i * LOCATOR_BYTES;
    if (textOf(bytes, at, 4) !== RELATIVE) continue;
    const length = view.getUint32(at + 8);
    const offset = view.getBigUint64(at + 16);
    const isSane = length > 0 && length <= LOCATOR_MAX && offset < 2n ** 53n;
    if (isSane) return { at: Number(offset), length };
  }
  return null;
}

/**
 * The name of the parent as the image gives it, with slashes; "" if it gives
 * none. Absolute paths of Windows mean nothing here, so without a relative path
 * it is the parent's name alone, in the image's own directory.
 */
export async function parentNameOf(
  file: Backend,
  { relativePath, parentName }: VhdHeader,
): Promise<string> {
  if (relativePath !== null) {
    const { size } = await file.stat();
    const { at, length } = relativePath;
    if (at + length <= size) {
      const bytes = await readExactly(file, at, length);
      if (bytes !== null) return withSlashes(utf16(bytes, false));
    }
  }
  return withSlashes(parentName).replace(/^.*\//s, "");
}

/** A path of Windows with slashes, and without a dot at its start. */
export function withSlashes(path: string): string {
  return path.replaceAll("\\", "/").replace(/^(?:\.\/)+/, "");
}

/** A text of UTF-16, up to its first NUL. */
export function utf16(bytes: Uint8Array, isBigEndian: boolean): string {
  const encoding = isBigEndian ? "utf-16be" : "utf-16le";
  const text = new TextDecoder(encoding, { ignoreBOM: true }).decode(bytes);
  return text.split("\0", 1)[0]!;
}
