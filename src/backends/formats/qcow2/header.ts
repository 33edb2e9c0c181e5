/**
 * The header of a qcow2 image: parsed, and checked before anything that it says
 * is used.
 *
 * @module
 */
import { decodeName } from "../../../base/name_bytes.ts";
import { SIZE_MAX } from "../../size.ts";
import {
  AUTOCLEAR,
  COMPRESSION_TYPE_AT,
  CRYPT_METHODS,
  EXTENSION,
  HEADER_V2,
  HEADER_V3,
  INCOMPATIBLE,
  LIMIT,
  QCOW2_MAGIC,
} from "./constants.ts";
import {
  featureName,
  type HeaderExtension,
  parseExtensions,
  textOfExtension,
} from "./header_extensions.ts";
import { refusal } from "./refusal.ts";

/** How clusters are compressed. */
export type Compression = "deflate" | "zstd";

/** A valid header. Plain data; offsets and sizes in bytes. */
export interface Qcow2Header {
  readonly version: 2 | 3;
  /** The binary logarithm of the cluster size. */
  readonly clusterBits: number;
  /** The size of the disk. */
  readonly size: number;
  readonly l1Offset: number;
  /** Entries of the L1 table. */
  readonly l1Entries: number;
  readonly refcountTableOffset: number;
  readonly refcountTableClusters: number;
  /** The binary logarithm of the bits of a refcount. */
  readonly refcountOrder: number;
  readonly snapshots: number;
  readonly snapshotsOffset: number;
  readonly incompatible: bigint;
  readonly compatible: bigint;
  readonly autoclear: bigint;
  readonly headerLength: number;
  readonly compression: Compression;
  /** Whether L2 entries have a bitmap of subclusters. */
  readonly extendedL2: boolean;
  /** The backing file's name as the image gives it; `null` without one. */
  readonly backingName: string | null;
  /** Its recorded format; `null` if none is recorded. */
  readonly backingFormat: string | null;
  /** Whether the data are in another file. */
  readonly hasDataFile: boolean;
  /** The data file's name as the image gives it; `null` if it gives none. */
  readonly dataFileName: string | null;
  /** Every extension, in order, also those of unknown types. */
  readonly extensions: readonly HeaderExtension[];
}

/** Every incompatible bit that this program knows. */
const KNOWN_INCOMPATIBLE = Object.values(INCOMPATIBLE)
  .reduce((all, bit) => all | bit, 0n);

/**
 * The cluster size that a header gives, so that all of the first cluster can be
 * read: the header with its extensions and names lies in it.
 *
 * @param bytes The first {@linkcode HEADER_V2} bytes or more.
 * @param name The image's name in errors.
 * @throws {UserError} If this is no qcow2 image, or of an unknown version.
 */
export function clusterSizeOf(
  bytes: Uint8Array<ArrayBuffer>,
  name: string,
): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < HEADER_V2 || view.getUint32(0) !== QCOW2_MAGIC) {
    const advice = "name its format, or leave the prefix out if it is raw";
    throw refusal(name, "it does not begin like a qcow2 image", advice);
  }
  const version = view.getUint32(4);
  if (version !== 2 && version !== 3) {
    const advice = "convert it with 'qemu-img convert -O qcow2'";
    throw refusal(name, `it has version ${version}, not 2 or 3`, advice);
  }
  const clusterBits = view.getUint32(20);
  const { CLUSTER_BITS_MIN: min, CLUSTER_BITS_MAX: max } = LIMIT;
  if (clusterBits < min || clusterBits > max) {
    const why = `cluster_bits is ${clusterBits}, not ${min} to ${max}`;
    throw refusal(name, why);
  }
  return 2 ** clusterBits;
}

/**
 * Parses a header.
 *
 * @param bytes All of the first cluster, or up to the end of the file.
 * @param name The image's name in errors.
 * @throws {UserError} If a field is out of bounds, or needs what this program
 * does not support.
 */
export function parseHeader(
  bytes: Uint8Array<ArrayBuffer>,
  name: string,
): Qcow2Header {
  const clusterSize = clusterSizeOf(bytes, name);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getUint32(4) as 2 | 3;
  const headerLength = lengthOf(view, version, name);
  const backingOffset = positionOf(view, 8, name);
  const end = backingOffset === 0 ? bytes.length : backingOffset;
  if (end < headerLength || end > bytes.length) {
    throw refusal(name, "the backing file's name is not in the first cluster");
  }
  const extensions = parseExtensions(bytes, headerLength, end, name);
  const features = featuresOf(view, version, extensions, name);
  const { incompatible } = features;
  const text = (type: number, max: number) =>
    textOfExtension(extensions, type, max, name);
  const header: Qcow2Header = {
    version,
    ...features,
    headerLength,
    extensions,
    clusterBits: Math.log2(clusterSize),
    size: positionOf(view, 24, name),
    l1Entries: view.getUint32(36),
    l1Offset: positionOf(view, 40, name),
    refcountTableOffset: positionOf(view, 48, name),
    refcountTableClusters: view.getUint32(56),
    snapshots: view.getUint32(60),
    snapshotsOffset: positionOf(view, 64, name),
    refcountOrder: version === 2 ? 4 : view.getUint32(96),
    compression: compressionOf(bytes, headerLength, incompatible, name),
    extendedL2: (incompatible & INCOMPATIBLE.EXTENDED_L2) !== 0n,
    backingName: backingNameOf(bytes, backingOffset, name),
    backingFormat: text(EXTENSION.BACKING_FORMAT, LIMIT.FORMAT_NAME),
    hasDataFile: (incompatible & INCOMPATIBLE.DATA_FILE) !== 0n,
    dataFileName: text(EXTENSION.DATA_FILE, LIMIT.DATA_FILE_NAME),
  };
  refuseEncrypted(view.getUint32(32), name);
  checkTables(header, clusterSize, name);
  return header;
}

function lengthOf(view: DataView, version: 2 | 3, name: string): number {
  if (version === 2) return HEADER_V2;
  const length = view.byteLength < HEADER_V3 ? 0 : view.getUint32(100);
  if (length < HEADER_V3 || length % 8 !== 0 || length > view.byteLength) {
    throw refusal(name, `header_length is ${length}`);
  }
  return length;
}

/** A 64-bit field that has to be an exact number. */
function positionOf(view: DataView, at: number, name: string): number {
  const value = view.getBigUint64(at);
  if (value <= BigInt(SIZE_MAX)) return Number(value);
  throw refusal(name, `the header's field at byte ${at} is ${value}`);
}

function featuresOf(
  view: DataView,
  version: 2 | 3,
  extensions: readonly HeaderExtension[],
  name: string,
): Pick<Qcow2Header, "incompatible" | "compatible" | "autoclear"> {
  if (version === 2) return { incompatible: 0n, compatible: 0n, autoclear: 0n };
  const incompatible = view.getBigUint64(72);
  const unknown: string[] = [];
  for (let bit = 0; bit < 64; bit++) {
    const isSet =
      (incompatible & ~KNOWN_INCOMPATIBLE & (1n << BigInt(bit))) !== 0n;
    if (isSet) unknown.push(featureName(extensions, 0, bit));
  }
  if (unknown.length > 0) {
    const why = `it uses features that this version does not know (${
      unknown.join(", ")
    })`;
    throw refusal(name, why, "open it with the program that made it");
  }
  return {
    incompatible,
    compatible: view.getBigUint64(80),
    autoclear: view.getBigUint64(88),
  };
}

function compressionOf(
  bytes: Uint8Array,
  headerLength: number,
  incompatible: bigint,
  name: string,
): Compression {
  const type = headerLength > COMPRESSION_TYPE_AT
    ? bytes[COMPRESSION_TYPE_AT]!
    : 0;
  const isMarked = (incompatible & INCOMPATIBLE.COMPRESSION) !== 0n;
  if (type > 1 || isMarked !== (type !== 0)) {
    throw refusal(name, `its compression type is ${type}`);
  }
  return type === 0 ? "deflate" : "zstd";
}

function backingNameOf(
  bytes: Uint8Array<ArrayBuffer>,
  offset: number,
  name: string,
): string | null {
  if (offset === 0) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(16);
  if (length > LIMIT.BACKING_NAME || offset + length > bytes.length) {
    const why = `the backing file's name of ${length} bytes is too long`;
    throw refusal(name, why);
  }
  const text = bytes.slice(offset, offset + length);
  if (text.includes(0)) {
    throw refusal(name, "its backing file's name has a NUL");
  }
  return length === 0 ? null : decodeName(text);
}

function refuseEncrypted(method: number, name: string): void {
  if (method === 0) return;
  const kind = CRYPT_METHODS[method] ?? `method ${method}`;
  const advice = "decrypt it with 'qemu-img convert --image-opts' first";
  throw refusal(name, `it is encrypted (${kind})`, advice);
}

/** Bounds everything that memory is allocated by, or that is used as a place. */
function checkTables(
  header: Qcow2Header,
  clusterSize: number,
  name: string,
): void {
  const check = (isRight: boolean, why: string) => {
    if (!isRight) throw refusal(name, why);
  };
  const { extendedL2, clusterBits, refcountOrder, l1Entries } = header;
  const isAligned = (at: number) => at % clusterSize === 0;
  const { hasDataFile, backingName, autoclear } = header;
  const isRaw = (autoclear & AUTOCLEAR.RAW_DATA_FILE) !== 0n;
  check(
    !extendedL2 || clusterBits >= LIMIT.EXTENDED_CLUSTER_BITS_MIN,
    `cluster_bits is ${clusterBits}, too small for extended L2 entries`,
  );
  check(
    refcountOrder <= LIMIT.REFCOUNT_ORDER_MAX,
    `refcount_order is ${refcountOrder}`,
  );
  check(
    l1Entries * 8 <= LIMIT.L1_BYTES,
    `its L1 table of ${l1Entries} entries is too large`,
  );
  check(isAligned(header.l1Offset), "its L1 table is not aligned");
  check(
    header.refcountTableClusters * clusterSize <= LIMIT.REFCOUNT_TABLE_BYTES,
    "its refcount table is too large",
  );
  check(
    isAligned(header.refcountTableOffset),
    "its refcount table is not aligned",
  );
  check(
    header.snapshots <= LIMIT.SNAPSHOTS,
    `it has ${header.snapshots} snapshots`,
  );
  check(
    header.snapshots === 0 || isAligned(header.snapshotsOffset),
    "its snapshot table is not aligned",
  );
  check(
    !(hasDataFile && isRaw && backingName !== null),
    "it has a raw data file and a backing file",
  );
}
