/**
 * The entries of the snapshot table, byte by byte.
 *
 * @module
 */
import { encodeName } from "../../../../base/name_bytes.ts";
import type { CheckedImage } from "../check/checked_image.ts";
import { entryLength, type Snapshot } from "../snapshot_table.ts";

/** Bytes of the fixed part, and of the extra data of version 3. */
const FIXED = 40;
const EXTRA = 16;

/**
 * Splits the table into its entries, as they are.
 *
 * @param size Its bytes.
 * @returns `null` if it cannot be read.
 */
export async function readEntries(
  image: CheckedImage,
  size: number,
): Promise<Uint8Array<ArrayBuffer>[] | null> {
  const table = await image.read(image.header.snapshotsOffset, size);
  if (table === null) return null;
  const entries: Uint8Array<ArrayBuffer>[] = [];
  for (let at = 0; at < size;) {
    const length = entryLength(table.subarray(at));
    if (length === null) return null;
    entries.push(table.slice(at, at + length));
    at += Math.ceil(length / 8) * 8;
  }
  return entries;
}

/** Puts entries together, each at a multiple of 8 bytes. */
export function joinEntries(
  entries: readonly Uint8Array[],
): Uint8Array<ArrayBuffer> {
  const size = entries.reduce((sum, entry) => padded(sum) + entry.length, 0);
  const table = new Uint8Array(size);
  let at = 0;
  for (const entry of entries) {
    table.set(entry, at);
    at = padded(at + entry.length);
  }
  return table;
}

/** A new entry. */
export function newEntry(
  { id, name, l1Offset, l1Entries, size }: Omit<
    Snapshot,
    "seconds" | "vmStateSize"
  >,
  timeMs: number,
): Uint8Array<ArrayBuffer> {
  const [idBytes, nameBytes] = [encodeName(id), encodeName(name)];
  const length = FIXED + EXTRA + idBytes.length + nameBytes.length;
  const entry = new Uint8Array(length);
  const view = new DataView(entry.buffer);
  view.setBigUint64(0, BigInt(l1Offset));
  view.setUint32(8, l1Entries);
  view.setUint16(12, idBytes.length);
  view.setUint16(14, nameBytes.length);
  view.setUint32(16, Math.floor(timeMs / 1000));
  view.setUint32(20, Math.floor(timeMs % 1000 * 1e6));
  view.setUint32(36, EXTRA);
  view.setBigUint64(FIXED + 8, BigInt(size));
  entry.set(idBytes, FIXED + EXTRA);
  entry.set(nameBytes, FIXED + EXTRA + idBytes.length);
  return entry;
}

/** An id that no snapshot has: the next number, as QEMU finds it. */
export function nextId(snapshots: readonly Snapshot[]): string {
  const numbers = snapshots.map(({ id }) => Number(id))
    .filter((id) => Number.isSafeInteger(id));
  return `${Math.max(0, ...numbers) + 1}`;
}

function padded(at: number): number {
  return Math.ceil(at / 8) * 8;
}
