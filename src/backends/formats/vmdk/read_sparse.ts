/**
 * Reading what a sparse extent says of itself.
 *
 * @module
 */
import { decodeName } from "../../../base/name_bytes.ts";
import type { Backend } from "../../backend.ts";
import { readFully } from "../../read_fully.ts";
import {
  DESCRIPTOR_START,
  FOOTER_SIZE,
  LIMIT,
  MARKER,
  SECTOR,
} from "./constants.ts";
import { type Descriptor, parseDescriptor } from "./descriptor.ts";
import { refusal } from "./refusal.ts";
import { parseSparseHeader, type SparseHeader } from "./sparse_header.ts";

/**
 * Reads the header of a sparse extent; that of its footer, if the header says
 * that the footer counts.
 *
 * @param file The extent's file.
 * @param name The extent's name in errors.
 * @throws {UserError} If there is no valid one.
 */
export async function readSparseHeader(
  file: Backend,
  name: string,
): Promise<SparseHeader> {
  const header = parseSparseHeader(await readStart(file, name), name);
  if (header.directoryAt !== null) return header;
  const { size } = await file.stat();
  const footer = new Uint8Array(FOOTER_SIZE);
  const at = size - FOOTER_SIZE;
  const got = at < 0 ? 0 : await readFully(file, at, footer, 0, FOOTER_SIZE);
  const isFooter = got === FOOTER_SIZE && isMarker(footer, 0, MARKER.FOOTER) &&
    isMarker(footer, 2 * SECTOR, MARKER.END);
  if (!isFooter) {
    const advice = "copy it once more: its end is missing";
    throw refusal(name, "it has no footer", advice);
  }
  const inFooter = footer.subarray(SECTOR, 2 * SECTOR);
  const last = parseSparseHeader(inFooter, name);
  if (last.directoryAt !== null) return last;
  throw refusal(name, "its footer does not say where its grain directory is");
}

/** Whether a sector is a marker of a type, without a stream. */
function isMarker(bytes: Uint8Array, at: number, type: number): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, SECTOR);
  return view.getUint32(8, true) === 0 && view.getUint32(12, true) === type;
}

/** The first sector of a file, or all of it. */
export async function readStart(
  file: Backend,
  name: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(SECTOR);
  const got = await readFully(file, 0, bytes, 0, SECTOR);
  if (got < 0) throw refusal(name, "its first bytes cannot be read");
  return bytes.subarray(0, got);
}

/**
 * Reads the descriptor in a sparse extent; `null` if it has none.
 *
 * @throws {UserError} If it makes no sense.
 */
export async function readEmbedded(
  file: Backend,
  { descriptorAt, descriptorSize }: SparseHeader,
  name: string,
): Promise<Descriptor | null> {
  if (descriptorAt === 0 || descriptorSize === 0) return null;
  return await readDescriptor(file, descriptorAt, descriptorSize, name);
}

/**
 * Reads a descriptor that is a file of its own.
 *
 * @throws {UserError} If it is none.
 */
export async function readDescriptorFile(
  file: Backend,
  name: string,
): Promise<Descriptor> {
  const { size } = await file.stat();
  if (size > LIMIT.DESCRIPTOR) throw noVmdk(name);
  return await readDescriptor(file, 0, size, name);
}

async function readDescriptor(
  file: Backend,
  at: number,
  length: number,
  name: string,
): Promise<Descriptor> {
  const bytes = new Uint8Array(length);
  const got = await readFully(file, at, bytes, 0, length);
  if (got < 0) throw refusal(name, "its descriptor cannot be read");
  const text = decodeName(bytes.subarray(0, got));
  if (!DESCRIPTOR_START.test(text)) throw noVmdk(name);
  return parseDescriptor(text, name);
}

function noVmdk(name: string): Error {
  const advice = "name its format, or leave the prefix out if it is raw";
  return refusal(name, "it does not begin like a VMDK image", advice);
}
