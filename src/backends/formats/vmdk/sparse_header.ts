/**
 * The header of a sparse extent: parsed, and checked before anything that it says
 * is used.
 *
 * @module
 */
import { SIZE_MAX } from "../../size.ts";
import {
  COWD_ENTRIES,
  COWD_MAGIC,
  DEFLATE,
  FLAG,
  GD_AT_END,
  LIMIT,
  SECTOR,
  SESPARSE_MAGIC,
  SPARSE_MAGIC,
} from "./constants.ts";
import { refusal } from "./refusal.ts";

/** A valid header. Plain data; offsets and sizes in bytes. */
export interface SparseHeader {
  /** `sparse`, or `cowd` if it is one of ESX. */
  readonly kind: "sparse" | "cowd";
  readonly version: number;
  /** The length of the extent. */
  readonly size: number;
  readonly grainSize: number;
  /** Entries of a grain table. */
  readonly tableEntries: number;
  /** Where the grain directory is; `null` if the footer tells it. */
  readonly directoryAt: number | null;
  /** Where the second one is; `null` if there is none. */
  readonly redundantAt: number | null;
  readonly isCompressed: boolean;
  readonly hasMarkers: boolean;
  /** Whether an entry of 1 is a grain of zeroes. */
  readonly hasZeroGrains: boolean;
  /** Where the descriptor is, and its length; 0 if there is none. */
  readonly descriptorAt: number;
  readonly descriptorSize: number;
}

/**
 * What the first bytes of a file say that it is: a sparse extent, the format of
 * ESX 6.5, or neither.
 */
export function magicOf(bytes: Uint8Array): "sparse" | "sesparse" | null {
  if (bytes.length < SECTOR) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = view.getUint32(0, true);
  if (magic === SPARSE_MAGIC || magic === COWD_MAGIC) return "sparse";
  return magic === SESPARSE_MAGIC ? "sesparse" : null;
}

/**
 * Parses a header.
 *
 * @param bytes The first sector of the extent, or that of its footer.
 * @param name The extent's name in errors.
 * @throws {UserError} If it is no header, or a field is out of bounds.
 */
export function parseSparseHeader(
  bytes: Uint8Array,
  name: string,
): SparseHeader {
  switch (magicOf(bytes)) {
    case "sparse":
      break;
    case "sesparse":
      throw refusal(
        name,
        "it is in the format SESPARSE",
        "convert it with 'qemu-img convert'",
      );
    default:
      throw refusal(name, "it does not begin like a sparse extent");
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, SECTOR);
  const isCowd = view.getUint32(0, true) === COWD_MAGIC;
  const header = isCowd ? cowdOf(view, name) : sparseOf(view, name);
  checkSizes(header, name);
  return header;
}

function cowdOf(view: DataView, name: string): SparseHeader {
  const word = (at: number) => view.getUint32(at, true);
  const header: SparseHeader = {
    kind: "cowd",
    version: word(4),
    size: word(12) * SECTOR,
    grainSize: word(16) * SECTOR,
    directoryAt: word(20) * SECTOR,
    tableEntries: COWD_ENTRIES,
    redundantAt: null,
    isCompressed: false,
    hasMarkers: false,
    hasZeroGrains: false,
    descriptorAt: 0,
    descriptorSize: 0,
  };
  const needed = Math.ceil(header.size / header.grainSize / COWD_ENTRIES);
  if (word(24) >= needed || header.grainSize === 0) return header;
  const why = `its grain directory has ${word(24)} entries, not ${needed}`;
  throw refusal(name, why);
}

function sparseOf(view: DataView, name: string): SparseHeader {
  const version = view.getUint32(4, true);
  if (version < 1 || version > 3) {
    const advice = "convert it with 'qemu-img convert'";
    throw refusal(name, `it has version ${version}, not 1 to 3`, advice);
  }
  const flags = view.getUint32(8, true);
  if ((flags & FLAG.NEWLINES) !== 0 && view.getUint32(73, true) !== NEWLINES) {
    const advice = "transfer it once more, as binary";
    throw refusal(name, "it was transferred as text", advice);
  }
  const algorithm = view.getUint16(77, true);
  if (algorithm > DEFLATE) {
    throw refusal(name, `its grains are compressed by method ${algorithm}`);
  }
  const bytes = (at: number) => bytesOf(view.getBigUint64(at, true), at, name);
  const isAtEnd = view.getBigUint64(56, true) === GD_AT_END;
  return {
    kind: "sparse",
    version,
    size: bytes(12),
    grainSize: bytes(20),
    tableEntries: view.getUint32(44, true),
    directoryAt: isAtEnd ? null : bytes(56),
    redundantAt: (flags & FLAG.REDUNDANT) === 0 || isAtEnd ? null : bytes(48),
    isCompressed: algorithm === DEFLATE,
    hasMarkers: (flags & FLAG.MARKERS) !== 0,
    hasZeroGrains: (flags & FLAG.ZERO_GRAINS) !== 0,
    descriptorAt: bytes(28),
    descriptorSize: bytes(36),
  };
}

/** The bytes that a transfer as text would change, as a number: `\n \r\n`. */
const NEWLINES = 0x0a0d_200a;

/** A number of sectors as a number of bytes. */
function bytesOf(sectors: bigint, at: number, name: string): number {
  const bytes = sectors * BigInt(SECTOR);
  if (bytes <= BigInt(SIZE_MAX)) return Number(bytes);
  throw refusal(name, `the header's field at byte ${at} is ${sectors}`);
}

/** Bounds everything that memory is allocated by. */
function checkSizes(header: SparseHeader, name: string): void {
  const { grainSize, tableEntries, kind, size, isCompressed } = header;
  const most = isCompressed ? LIMIT.COMPRESSED_GRAIN : LIMIT.GRAIN;
  const isPower = Number.isInteger(Math.log2(grainSize));
  if (!isPower || grainSize > most) {
    throw refusal(
      name,
      `its grains have ${grainSize} bytes, not a power of two up to ${most}`,
    );
  }
  const maxEntries = kind === "cowd" ? COWD_ENTRIES : LIMIT.TABLE_ENTRIES;
  if (tableEntries < 1 || tableEntries > maxEntries) {
    throw refusal(name, `its grain tables have ${tableEntries} entries`);
  }
  if (directorySize(header) > LIMIT.DIRECTORIES) {
    throw refusal(name, `its grain directory for ${size} bytes is too large`);
  }
  if (header.descriptorSize > LIMIT.DESCRIPTOR) {
    throw refusal(name, "its descriptor is too long");
  }
}

/** Bytes of the grain directory. */
export function directorySize(
  { size, grainSize, tableEntries }: SparseHeader,
): number {
  return 4 * Math.ceil(size / (grainSize * tableEntries));
}
