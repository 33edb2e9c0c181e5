/**
 * Internal snapshots: the table of an image, and one of them as a disk.
 *
 * @module
 */
import { decodeName } from "../../../base/name_bytes.ts";
import { UserError } from "../../../base/user_error.ts";
import type { Backend } from "../../backend.ts";
import type { ImageSnapshot } from "../../image_snapshots.ts";
import { SIZE_MAX } from "../../size.ts";
import { LIMIT } from "./constants.ts";
import type { Qcow2Header } from "./header.ts";
import { readFully } from "../../read_fully.ts";
import { refusal } from "./refusal.ts";

/** An internal snapshot. Offsets and sizes in bytes. */
export interface Snapshot extends ImageSnapshot {
  readonly l1Offset: number;
  readonly l1Entries: number;
  /** The size of the machine's state, which follows the disk in its L1 table. */
  readonly vmStateSize: number;
}

/** Bytes of an entry without its extra data and names. */
const ENTRY = 40;
/** Bytes that are read at once; the longest entry is shorter. */
const PART = 256 << 10;

/**
 * Reads the table of snapshots.
 *
 * @param file The image's file.
 * @param header Its header.
 * @param name Its name in errors.
 * @throws {UserError} If the table makes no sense.
 */
export async function readSnapshots(
  file: Backend,
  header: Qcow2Header,
  name: string,
): Promise<readonly Snapshot[]> {
  return (await readSnapshotTable(file, header, name)).snapshots;
}

/** Reads the same, and tells how many bytes of the file the table has. */
export async function readSnapshotTable(
  file: Backend,
  header: Qcow2Header,
  name: string,
): Promise<{ readonly snapshots: readonly Snapshot[]; readonly size: number }> {
  const snapshots: Snapshot[] = [];
  const part = new Uint8Array(PART);
  let at = header.snapshotsOffset;
  let first = at;
  let filled = 0;
  let last = at;
  const end = at + LIMIT.SNAPSHOT_TABLE_BYTES;
  while (snapshots.length < header.snapshots) {
    const inPart = at - first;
    let bytes = part.subarray(inPart, filled);
    let length = entryLength(bytes);
    if (length === null || length > bytes.length) {
      filled = await readFully(file, first = at, part, 0, PART);
      bytes = part.subarray(0, Math.max(0, filled));
      length = entryLength(bytes);
    }
    if (length === null || length > bytes.length || at + length > end) {
      throw refusal(name, "its snapshot table cannot be read completely");
    }
    snapshots.push(parseSnapshot(bytes, header, name));
    last = at + length;
    at += Math.ceil(length / 8) * 8;
  }
  return { snapshots, size: last - header.snapshotsOffset };
}

/**
 * Finds a snapshot by its id, else by its name.
 *
 * @param image The image's name in errors.
 * @throws {UserError} If there is none, or several of that name.
 */
export function findSnapshot(
  snapshots: readonly Snapshot[],
  wanted: string,
  image: string,
): Snapshot {
  const byId = snapshots.find(({ id }) => id === wanted);
  const byName = snapshots.filter(({ name }) => name === wanted);
  const found = byId ?? byName[0];
  if (found === undefined) {
    const names = snapshots.map(({ name }) => JSON.stringify(name));
    const there = names.length === 0 ? "no snapshots" : names.join(", ");
    throw new UserError(
      `Cannot open snapshot ${
        JSON.stringify(wanted)
      } of ${image}: it has ${there}; leave snapshot out, or name one that 'info' lists`,
    );
  }
  if (byId === undefined && byName.length > 1) {
    throw new UserError(
      `Cannot open snapshot ${
        JSON.stringify(wanted)
      } of ${image}: ${byName.length} have that name; give the id of one`,
    );
  }
  return found;
}

/** The length of the entry at the start of some bytes, without padding. */
export function entryLength(bytes: Uint8Array): number | null {
  if (bytes.length < ENTRY) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const extra = view.getUint32(36);
  if (extra > LIMIT.SNAPSHOT_EXTRA) return null;
  return ENTRY + extra + view.getUint16(12) + view.getUint16(14);
}

function parseSnapshot(
  bytes: Uint8Array<ArrayBuffer>,
  header: Qcow2Header,
  name: string,
): Snapshot {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const extra = view.getUint32(36);
  const idAt = ENTRY + extra;
  const nameAt = idAt + view.getUint16(12);
  const size = extra >= 16 ? view.getBigUint64(ENTRY + 8) : BigInt(header.size);
  const vmState = extra >= 8 ? view.getBigUint64(ENTRY) : view.getUint32(32);
  const l1Offset = view.getBigUint64(0);
  if (size > SIZE_MAX || l1Offset > SIZE_MAX) {
    throw refusal(name, "a snapshot lies beyond 2^53 - 1 bytes");
  }
  return {
    id: decodeName(bytes.subarray(idAt, nameAt)),
    name: decodeName(bytes.subarray(nameAt, nameAt + view.getUint16(14))),
    l1Offset: Number(l1Offset),
    l1Entries: view.getUint32(8),
    size: Number(size),
    vmStateSize: Number(vmState),
    seconds: view.getUint32(16),
  };
}
