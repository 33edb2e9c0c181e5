import { encodeName } from "../../../../base/name_bytes.ts";
import { UserError } from "../../../../base/user_error.ts";
import {
  COMPRESSION_TYPE_AT,
  EXTENSION,
  INCOMPATIBLE,
  LIMIT,
  QCOW2_MAGIC,
} from "../constants.ts";
import { type NewImage, type NewLayout, REFCOUNT_ORDER } from "./new_layout.ts";

/** Bytes of the header, up to `compression_type` and its padding. */
const HEADER_BYTES = 112;

/** The names of feature bits that a program may not know: field, bit, name. */
const FEATURE_NAMES: readonly (readonly [number, number, string])[] = [
  [0, 0, "dirty bit"],
  [0, 1, "corrupt bit"],
  [0, 2, "external data file"],
  [0, 3, "compression type"],
  [0, 4, "extended L2 entries"],
  [1, 0, "lazy refcounts"],
  [2, 0, "bitmaps"],
  [2, 1, "raw external data"],
];
const NAME_ENTRY = 48;

/**
 * The first cluster of a new image, version 3: the header, its extensions, and
 * the name of the image below.
 *
 * @param name The image's name in errors.
 * @throws {UserError} If the names do not fit into a cluster.
 */
export function newHeader(
  image: NewImage,
  layout: Pick<NewLayout, "l1Entries" | "l1At" | "tableAt" | "tableClusters">,
  name: string,
): Uint8Array<ArrayBuffer> {
  const { size, clusterSize, extendedL2, backing, dataFile } = image;
  const isZstd = image.compression === "zstd";
  const bytes = new Uint8Array(clusterSize);
  const view = new DataView(bytes.buffer);
  const wide = (at: number, value: number) =>
    view.setBigUint64(at, BigInt(value));
  view.setUint32(0, QCOW2_MAGIC);
  view.setUint32(4, 3);
  view.setUint32(20, Math.log2(clusterSize));
  wide(24, size);
  view.setUint32(36, layout.l1Entries);
  wide(40, layout.l1At * clusterSize);
  wide(48, layout.tableAt * clusterSize);
  view.setUint32(56, layout.tableClusters);
  const incompatible = (dataFile === null ? 0n : INCOMPATIBLE.DATA_FILE) |
    (extendedL2 ? INCOMPATIBLE.EXTENDED_L2 : 0n) |
    (isZstd ? INCOMPATIBLE.COMPRESSION : 0n);
  view.setBigUint64(72, incompatible);
  view.setUint32(96, REFCOUNT_ORDER);
  view.setUint32(100, HEADER_BYTES);
  view.setUint8(COMPRESSION_TYPE_AT, isZstd ? 1 : 0);

  const backingName = backing === null
    ? new Uint8Array()
    : nameBytes(backing.name, "backing file", LIMIT.BACKING_NAME, name);
  const room = clusterSize - backingName.length;
  const extensions = extensionsOf(image, name);
  let end = HEADER_BYTES + lengthOf(extensions);
  if (end > room) {
    throw new UserError(
      `Cannot create ${name}: the names of the files that it refers to do not fit into a cluster of ${clusterSize} bytes; use shorter paths or a larger cluster size`,
    );
  }
  const names = featureNames();
  // Only a help for programs that do not know a feature.
  const all = end + lengthOf([names]) <= room
    ? [...extensions, names]
    : extensions;
  end = putExtensions(bytes, all);
  if (backingName.length > 0) {
    bytes.set(backingName, end);
    wide(8, end);
    view.setUint32(16, backingName.length);
  }
  return bytes;
}

/** The type and the data of a header extension. */
type Extension = readonly [type: number, data: Uint8Array];

function extensionsOf(
  { backing, dataFile }: NewImage,
  name: string,
): Extension[] {
  const extensions: Extension[] = [];
  if (backing !== null) {
    const data = new TextEncoder().encode(backing.format);
    extensions.push([EXTENSION.BACKING_FORMAT, data]);
  }
  if (dataFile !== null) {
    const data = nameBytes(dataFile, "data file", LIMIT.DATA_FILE_NAME, name);
    extensions.push([EXTENSION.DATA_FILE, data]);
  }
  return extensions;
}

function featureNames(): Extension {
  const data = new Uint8Array(FEATURE_NAMES.length * NAME_ENTRY);
  for (const [index, [field, bit, text]] of FEATURE_NAMES.entries()) {
    data.set([field, bit], index * NAME_ENTRY);
    data.set(new TextEncoder().encode(text), index * NAME_ENTRY + 2);
  }
  return [EXTENSION.FEATURE_NAMES, data];
}

/** Bytes of extensions, and of the one that ends them. */
function lengthOf(extensions: readonly Extension[]): number {
  return extensions.reduce((sum, [, data]) => sum + 8 + padded(data), 8);
}

function padded({ length }: Uint8Array): number {
  return Math.ceil(length / 8) * 8;
}

/** Writes extensions after the header; returns where they end. */
function putExtensions(
  bytes: Uint8Array<ArrayBuffer>,
  extensions: readonly Extension[],
): number {
  const view = new DataView(bytes.buffer);
  let at = HEADER_BYTES;
  for (const [type, data] of extensions) {
    view.setUint32(at, type);
    view.setUint32(at + 4, data.length);
    bytes.set(data, at + 8);
    at += 8 + padded(data);
  }
  return at + 8;
}

function nameBytes(
  text: string,
  role: string,
  max: number,
  name: string,
): Uint8Array {
  const bytes = encodeName(text);
  if (bytes.length <= max) return bytes;
  throw new UserError(
    `Cannot create ${name}: the path of its ${role} has ${bytes.length} bytes, and an image can name ${max} at most; use a shorter path`,
  );
}
