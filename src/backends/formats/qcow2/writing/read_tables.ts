/**
 * Reading the tables of an image that is written to.
 *
 * @module
 */
import { UserError } from "../../../../base/user_error.ts";
import type { Backend } from "../../../backend.ts";
import { readExactly } from "../../../read_fully.ts";
import { LIMIT } from "../constants.ts";
import type { Geometry } from "../geometry.ts";
import type { Qcow2Header } from "../header.ts";

/** Bits 9 to 63 of an entry of the refcount table are the offset. */
const RESERVED_LOW = 0x1ff;

/** An image whose tables are read from its file. */
export interface StoredTables {
  /** Its name in errors. */
  readonly name: string;
  readonly file: { readonly backend: Backend };
  readonly header: Qcow2Header;
  readonly geometry: Geometry;
}

/** Reads the clusters of the refcount blocks. */
export async function readRefcountTable(
  { name, file, header, geometry: { clusterSize } }: StoredTables,
): Promise<SharedArrayBuffer> {
  const { refcountTableOffset: at, refcountTableClusters } = header;
  const bytes = await readTable(
    file.backend,
    at,
    refcountTableClusters * clusterSize,
    name,
  );
  const view = new DataView(bytes.buffer);
  const entries = bytes.length / 8;
  const memory = new SharedArrayBuffer(entries * 4, {
    maxByteLength: LIMIT.REFCOUNT_TABLE_BYTES / 2,
  });
  const words = new Uint32Array(memory);
  for (let i = 0; i < entries; i++) {
    const offset = view.getUint32(8 * i) * 2 ** 32 + view.getUint32(8 * i + 4);
    const cluster = offset / clusterSize;
    const isSound = (offset & RESERVED_LOW) === 0 &&
      Number.isInteger(cluster) && cluster < 0xffff_ffff;
    if (!isSound) throw damaged(name, "its refcount table makes no sense");
    words[i] = cluster;
  }
  return memory;
}

/** The flags of L2 tables: whether the entry of each is marked as copied. */
export async function readFlags(
  { name, file, header }: StoredTables,
): Promise<SharedArrayBuffer> {
  const { l1Offset, l1Entries } = header;
  const memory = new SharedArrayBuffer(l1Entries, {
    maxByteLength: LIMIT.L1_BYTES / 8,
  });
  const flags = new Uint8Array(memory);
  const bytes = await readTable(file.backend, l1Offset, l1Entries * 8, name);
  for (let i = 0; i < l1Entries; i++) flags[i] = bytes[8 * i]! >> 7;
  return memory;
}

async function readTable(
  file: Backend,
  at: number,
  length: number,
  name: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await readExactly(file, at, length);
  if (bytes !== null) return bytes;
  throw damaged(name, "a table in it cannot be read completely");
}

/** The error of an image whose tables make no sense. */
export function damaged(name: string, why: string): UserError {
  return new UserError(
    `Cannot write to ${name}: ${why}; check it with 'check'`,
  );
}
