/**
 * Entries of the log of a VHDX image: [MS-VHDX] 2.3.1.
 *
 * @module
 */
import { uuidOf } from "../../uuid.ts";
import { checkOf, numberAt, signatureOf, type Structure } from "./structure.ts";

/** The unit of the log, and of the changes in it. */
export const LOG_SECTOR = 4096;
const HEADER_BYTES = 64;
const DESCRIPTOR_BYTES = 32;
/** What a data sector leaves out at its start and end. */
const LEADING = 8;
const TRAILING = 4;

/** A change of the file: zeroes, or the bytes of a sector. In bytes. */
export interface LogChange {
  readonly offset: number;
  readonly length: number;
  /** `null` for zeroes. */
  readonly data: Uint8Array<ArrayBuffer> | null;
}

/** A sound entry. */
export interface LogEntry {
  readonly sequence: bigint;
  /** Bytes that it takes in the log. */
  readonly length: number;
  /** Where the sequence that it ends begins in the log. */
  readonly tail: number;
  /** Bytes that the file has to have. */
  readonly flushedSize: number;
  /** Bytes that the file has after it. */
  readonly lastSize: number;
  readonly changes: readonly LogChange[];
}

/**
 * The length that a log has an entry of, at a place.
 *
 * @param sector The first sector of the entry.
 * @param logId The id that entries have.
 * @returns `null` if there is none.
 */
export function entryLength(
  { bytes, view }: Structure,
  logId: string,
): number | null {
  if (signatureOf(bytes, 0, 4) !== "loge") return null;
  if (uuidOf(bytes, 32) !== logId) return null;
  const length = view.getUint32(8, true);
  return length > 0 && length % LOG_SECTOR === 0 ? length : null;
}

/**
 * Parses an entry.
 *
 * @param entry All of it.
 * @returns `null` if it is not sound.
 */
export function parseEntry(entry: Structure): LogEntry | null {
  const { bytes, view } = entry;
  if (checkOf(bytes) !== view.getUint32(4, true)) return null;
  const sequence = view.getBigUint64(16, true);
  const flushedSize = numberAt(entry, 48);
  const lastSize = numberAt(entry, 56);
  if (sequence === 0n || flushedSize === null || lastSize === null) return null;
  const changes = changesOf(entry, sequence);
  if (changes === null) return null;
  return {
    sequence,
    length: bytes.length,
    tail: view.getUint32(12, true),
    flushedSize,
    lastSize,
    changes,
  };
}

/** The changes of an entry; `null` if one makes no sense. */
function changesOf(entry: Structure, sequence: bigint): LogChange[] | null {
  const { bytes, view } = entry;
  const count = view.getUint32(24, true);
  const descriptors = HEADER_BYTES + count * DESCRIPTOR_BYTES;
  let dataAt = Math.ceil(descriptors / LOG_SECTOR) * LOG_SECTOR;
  if (dataAt > bytes.length) return null;
  const changes: LogChange[] = [];
  for (let i = 0; i < count; i++) {
    const at = HEADER_BYTES + i * DESCRIPTOR_BYTES;
    const offset = numberAt(entry, at + 16);
    const isOfEntry = view.getBigUint64(at + 24, true) === sequence;
    if (!isOfEntry || offset === null || offset % LOG_SECTOR !== 0) return null;
    switch (signatureOf(bytes, at, 4)) {
      case "zero": {
        const length = numberAt(entry, at + 8);
        if (length === null || length % LOG_SECTOR !== 0) return null;
        if (!Number.isSafeInteger(offset + length)) return null;
        changes.push({ offset, length, data: null });
        break;
      }
      case "desc": {
        const data = sectorOf(entry, at, dataAt, sequence);
        if (data === null) return null;
        changes.push({ offset, length: LOG_SECTOR, data });
        dataAt += LOG_SECTOR;
        break;
      }
      default:
        return null;
    }
  }
  return changes;
}

/** The bytes of a sector: the descriptor has those at its start and end. */
function sectorOf(
  { bytes, view }: Structure,
  at: number,
  dataAt: number,
  sequence: bigint,
): Uint8Array<ArrayBuffer> | null {
  if (dataAt + LOG_SECTOR > bytes.length) return null;
  if (signatureOf(bytes, dataAt, 4) !== "data") return null;
  const high = BigInt(view.getUint32(dataAt + 4, true));
  const low = BigInt(view.getUint32(dataAt + LOG_SECTOR - TRAILING, true));
  if ((high << 32n | low) !== sequence) return null;
  const data = bytes.slice(dataAt, dataAt + LOG_SECTOR);
  data.set(bytes.subarray(at + 8, at + 8 + LEADING));
  data.set(bytes.subarray(at + 4, at + 4 + TRAILING), LOG_SECTOR - TRAILING);
  return data;
}
