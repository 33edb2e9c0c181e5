/**
 * Small qcow2 images, built word by word and not by the code under test.
 *
 * @module
 */
import { deflateRawSync, zstdCompressSync } from "node:zlib";

/** What a cluster of the disk is. */
export type ClusterKind =
  | "data"
  | "zero"
  | "kept zero"
  | "compressed"
  | "unallocated";

/** How an image is built. */
export interface ImagePlan {
  readonly version?: 2 | 3;
  readonly clusterBits?: number;
  /** The size of the disk in bytes. */
  readonly size: number;
  /** What its first clusters are; the others are unallocated. */
  readonly clusters?: readonly ClusterKind[];
  readonly compression?: "deflate" | "zstd";
  readonly backing?: { readonly name: string; readonly format?: string };
  /** The name of the data file. */
  readonly dataFile?: string;
  /** Further header extensions. */
  readonly extensions?: readonly (readonly [type: number, data: Uint8Array])[];
  /** Changes the header at the end. */
  readonly header?: (view: DataView<ArrayBuffer>) => void;
}

/** Byte `position` of the data that such an image holds. */
export function builtByte(position: number): number {
  return 1 + (position * 7 + (position >> 9)) % 255;
}

const text = new TextEncoder();

/** Builds an image. */
export function buildImage(plan: ImagePlan): Uint8Array<ArrayBuffer> {
  const { version = 3, clusterBits = 16, size, clusters = [] } = plan;
  const clusterSize = 2 ** clusterBits;
  const tableEntries = clusterSize / 8;
  const l1Entries = Math.max(1, Math.ceil(size / (tableEntries * clusterSize)));
  const l1Clusters = Math.ceil(l1Entries * 8 / clusterSize);
  // The header, refcount table, refcount block, L1 table, one L2 table.
  const l1At = 3 * clusterSize;
  const l2At = l1At + l1Clusters * clusterSize;
  const data: Uint8Array[] = [];
  let next = l2At + clusterSize;
  const entries = clusters.map((kind, index) => {
    const bytes = Uint8Array.from(
      { length: clusterSize },
      (_, i) => builtByte(index * clusterSize + i),
    );
    if (kind === "unallocated") return 0n;
    if (kind === "zero") return 1n;
    const at = BigInt(plan.dataFile === undefined ? next : index * clusterSize);
    if (kind === "compressed") {
      const stream = compressed(bytes, plan.compression ?? "deflate");
      data.push(padded(stream, clusterSize));
      next += padded(stream, clusterSize).length;
      const sectors = BigInt(Math.ceil(stream.length / 512) - 1);
      return 1n << 62n | sectors << BigInt(62 - (clusterBits - 8)) | at;
    }
    if (plan.dataFile === undefined) {
      data.push(bytes);
      next += clusterSize;
    }
    return 1n << 63n | at | (kind === "kept zero" ? 1n : 0n);
  });
  const image = new Uint8Array(next);
  const view = new DataView(image.buffer);
  writeHeader(view, plan, { version, clusterBits, l1Entries, l1At });
  view.setBigUint64(clusterSize, BigInt(2 * clusterSize));
  // Refcounts of 16 bits, as many as one block has.
  for (let i = 0; i < Math.min(next, clusterSize ** 2 / 2) / clusterSize; i++) {
    view.setUint16(2 * clusterSize + 2 * i, 1);
  }
  view.setBigUint64(l1At, 1n << 63n | BigInt(l2At));
  entries.forEach((entry, i) => view.setBigUint64(l2At + 8 * i, entry));
  let at = l2At + clusterSize;
  for (const bytes of data) {
    image.set(bytes, at);
    at += bytes.length;
  }
  plan.header?.(view);
  return image;
}

function compressed(bytes: Uint8Array, how: "deflate" | "zstd"): Uint8Array {
  return how === "deflate"
    ? deflateRawSync(bytes, { windowBits: 12 })
    : zstdCompressSync(bytes);
}

function padded(bytes: Uint8Array, clusterSize: number): Uint8Array {
  const length = Math.ceil(bytes.length / clusterSize) * clusterSize;
  const whole = new Uint8Array(length);
  whole.set(bytes);
  return whole;
}

function writeHeader(
  view: DataView<ArrayBuffer>,
  plan: ImagePlan,
  { version, clusterBits, l1Entries, l1At }: {
    version: number;
    clusterBits: number;
    l1Entries: number;
    l1At: number;
  },
): void {
  const clusterSize = 2 ** clusterBits;
  const isZstd = plan.compression === "zstd";
  view.setUint32(0, 0x514649fb);
  view.setUint32(4, version);
  view.setUint32(20, clusterBits);
  view.setBigUint64(24, BigInt(plan.size));
  view.setUint32(36, l1Entries);
  view.setBigUint64(40, BigInt(l1At));
  view.setBigUint64(48, BigInt(clusterSize));
  view.setUint32(56, 1);
  let at = 72;
  if (version === 3) {
    const dataFile = plan.dataFile === undefined ? 0n : 4n;
    view.setBigUint64(72, dataFile | (isZstd ? 8n : 0n));
    view.setUint32(96, 4);
    view.setUint32(100, 112);
    view.setUint8(104, isZstd ? 1 : 0);
    at = 112;
  }
  const extension = (type: number, data: Uint8Array) => {
    view.setUint32(at, type);
    view.setUint32(at + 4, data.length);
    new Uint8Array(view.buffer).set(data, at + 8);
    at += 8 + Math.ceil(data.length / 8) * 8;
  };
  const { backing, dataFile, extensions = [] } = plan;
  if (backing?.format !== undefined) {
    extension(0xe2792aca, text.encode(backing.format));
  }
  if (dataFile !== undefined) extension(0x44415441, text.encode(dataFile));
  for (const [type, data] of extensions) extension(type, data);
  at += 8;
  if (backing !== undefined) {
    const name = text.encode(backing.name);
    view.setBigUint64(8, BigInt(at));
    view.setUint32(16, name.length);
    new Uint8Array(view.buffer).set(name, at);
  }
}
