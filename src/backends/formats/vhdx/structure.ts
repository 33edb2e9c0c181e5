/**
 * Structures of VHDX images: little-endian, with a signature and a CRC-32C of all
 * of it, in which the check itself counts as 0.
 *
 * @module
 */
import type { Backend } from "../../backend.ts";
import { crc32c } from "../../crc32.ts";
import { readFully } from "../../read_fully.ts";
import { SIZE_MAX } from "../../size.ts";
import { refusal } from "./refusal.ts";

/** What regions, blocks and the log start at multiples of. */
export const MIB: number = 1 << 20;
/** Where the check of a structure is. */
const CHECKSUM_AT = 4;

/** Bytes of an image, with their numbers. */
export interface Structure {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView;
}

/**
 * Reads a range; what lies beyond the end of the file reads as zeroes, which no
 * structure takes for its own.
 *
 * @throws {UserError} If it cannot be read.
 */
export async function readStructure(
  file: Backend,
  at: number,
  length: number,
  name: string,
): Promise<Structure> {
  const { size } = await file.stat();
  const bytes = new Uint8Array(length);
  const there = Math.max(0, Math.min(length, size - at));
  const got = await readFully(file, at, bytes, 0, there);
  if (got < 0) throw refusal(name, `reading it at byte ${at} fails`);
  return { bytes, view: new DataView(bytes.buffer) };
}

/** Whether a structure begins with a signature, and its check is right. */
export function isSound(
  { bytes, view }: Structure,
  signature: string,
): boolean {
  if (signatureOf(bytes, 0, 4) !== signature) return false;
  return checkOf(bytes) === view.getUint32(CHECKSUM_AT, true);
}

/** The check that a structure has to have. */
export function checkOf(bytes: Uint8Array): number {
  const none = new Uint8Array(4);
  const before = crc32c(none, crc32c(bytes.subarray(0, CHECKSUM_AT)));
  return crc32c(bytes.subarray(CHECKSUM_AT + 4), before);
}

/** A signature: characters of ASCII. */
export function signatureOf(
  bytes: Uint8Array,
  at: number,
  length: number,
): string {
  return String.fromCharCode(...bytes.subarray(at, at + length));
}

/** A field of 64 bits; `null` if it is beyond 2^53 - 1. */
export function numberAt({ view }: Structure, at: number): number | null {
  const value = view.getBigUint64(at, true);
  return value > BigInt(SIZE_MAX) ? null : Number(value);
}
