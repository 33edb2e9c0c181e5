import { encodeName } from "../../../base/name_bytes.ts";
import { errnoName } from "../../../base/errno.ts";
import { UserError } from "../../../base/user_error.ts";
import type { Backend } from "../../backend.ts";
import type { RecordedBacking } from "../../driver.ts";
import { AUTOCLEAR, EXTENSION, LIMIT, SECTOR } from "./constants.ts";
import type { HeaderExtension } from "./header_extensions.ts";
import type { Qcow2Header } from "./header.ts";
import { readFully } from "../../read_fully.ts";
import { readHeader } from "./read_header.ts";
import { writeFully } from "./write_fully.ts";

/** Positions of `backing_file_offset` and `backing_file_size`. */
const OFFSET_FIELD = 8;
const SIZE_FIELD = 16;

/**
 * Records another image below an image, durably. All other header extensions
 * stay. The header's fields are in the first sector of the file, which is
 * written as a whole. What they refer to beyond it is written before.
 *
 * @param file The image's file, locked against others.
 * @param name Its name in errors.
 * @param backing What to record; `null` for nothing.
 * @throws {UserError} If it does not fit, or the file cannot be written.
 */
export async function setBacking(
  file: Backend,
  name: string,
  backing: RecordedBacking | null,
): Promise<void> {
  for (const { at, bytes } of await planBacking(file, name, backing)) {
    let error = await writeFully(file, at, bytes);
    if (error >= 0) error = await file.flush();
    if (error >= 0) continue;
    throw cannotChange(
      name,
      `its file cannot be written (${errnoName(-error)}); check its storage`,
    );
  }
}

/**
 * Refuses what {@linkcode setBacking} could not record, and writes nothing.
 *
 * @throws {UserError} If it does not fit.
 */
export async function checkBacking(
  file: Backend,
  name: string,
  backing: RecordedBacking | null,
): Promise<void> {
  await planBacking(file, name, backing);
}

async function planBacking(
  file: Backend,
  name: string,
  backing: RecordedBacking | null,
): Promise<HeaderWrite[]> {
  const refuse = (why: string) => cannotChange(name, why);
  const header = await readHeader(file, name);
  const { clusterBits, headerLength, autoclear, hasDataFile } = header;
  const isRaw = (autoclear & AUTOCLEAR.RAW_DATA_FILE) !== 0n && hasDataFile;
  if (backing !== null && isRaw) {
    throw refuse("its data file is a raw image, which nothing can be below");
  }
  const old = new Uint8Array(2 ** clusterBits);
  const got = await readFully(file, 0, old, 0, old.length);
  if (got < headerLength) throw refuse("its header cannot be read");
  const path = backing === null ? new Uint8Array() : encodeName(backing.name);
  if (path.length > LIMIT.BACKING_NAME) {
    throw refuse(`a path has ${LIMIT.BACKING_NAME} bytes at most`);
  }
  const writes = planHeader(old, header, path, backing?.format ?? null);
  if (writes === null) {
    throw refuse(
      "the path does not fit into its first cluster; use a shorter one",
    );
  }
  return writes;
}

function cannotChange(name: string, why: string): UserError {
  return new UserError(`Cannot change the backing file of ${name}: ${why}`);
}

/** A write to the first cluster, which is durable before the next one. */
interface HeaderWrite {
  readonly at: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * The writes that make one header of another. After each of them there is the
 * old one or the new one, perhaps still without the names of features, which
 * only help programs that do not know them.
 *
 * @param old The first cluster.
 * @returns `null` if the new header does not fit.
 */
function planHeader(
  old: Uint8Array<ArrayBuffer>,
  { headerLength, extensions }: Qcow2Header,
  path: Uint8Array,
  format: string | null,
): HeaderWrite[] | null {
  const data = new TextEncoder().encode(format ?? "");
  const needed = extensions.filter(({ type }) =>
    type !== EXTENSION.BACKING_FORMAT && type !== EXTENSION.FEATURE_NAMES
  );
  if (format !== null) {
    needed.unshift({ type: EXTENSION.BACKING_FORMAT, data });
  }
  const names = extensions.filter(({ type }) =>
    type === EXTENSION.FEATURE_NAMES
  );
  const used = rangesOf(old, headerLength, extensions);
  for (const all of [[...needed, ...names], needed]) {
    const full = old.slice();
    const end = putExtensions(full, headerLength, all);
    if (end === null) continue;
    if (end + path.length <= SECTOR) {
      putPath(full, end, path);
      return [{ at: 0, bytes: full.subarray(0, SECTOR) }];
    }
    const first = old.slice();
    const firstEnd = putExtensions(first, headerLength, needed) ?? Infinity;
    const place = freePlace(end, path.length, used);
    const isSafe = firstEnd <= SECTOR && place + path.length <= old.length;
    const at = isSafe ? place : end;
    const last = at + path.length;
    if (last > old.length) continue;
    for (const bytes of [first, full]) putPath(bytes, at, path);
    // With the long name of a data file, one write has to do.
    if (!isSafe) return [{ at: 0, bytes: full.subarray(0, last) }];
    return [
      { at, bytes: full.subarray(at, last) },
      { at: 0, bytes: first.subarray(0, SECTOR) },
      { at: SECTOR, bytes: full.subarray(SECTOR, last) },
      { at: 0, bytes: full.subarray(0, SECTOR) },
    ];
  }
  return null;
}

/** What a header refers to in its cluster: its extensions, and a path. */
function rangesOf(
  bytes: Uint8Array<ArrayBuffer>,
  headerLength: number,
  extensions: readonly HeaderExtension[],
): [start: number, end: number][] {
  const view = new DataView(bytes.buffer);
  const path = Number(view.getBigUint64(OFFSET_FIELD));
  const copy = bytes.slice();
  return [
    [0, putExtensions(copy, headerLength, extensions) ?? bytes.length],
    [path, path + view.getUint32(SIZE_FIELD)],
  ];
}

/** The first place from `start` on that is in none of some ranges. */
function freePlace(
  start: number,
  length: number,
  ranges: readonly [start: number, end: number][],
): number {
  const places = [start, ...ranges.map(([, end]) => Math.max(start, end))];
  const isFree = (at: number) =>
    ranges.every(([from, to]) => at >= to || at + length <= from);
  return places.sort((a, b) => a - b).find(isFree)!;
}

/** Writes a path and the fields that refer to it. */
function putPath(
  bytes: Uint8Array<ArrayBuffer>,
  at: number,
  path: Uint8Array,
): void {
  bytes.set(path, at);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(OFFSET_FIELD, BigInt(path.length === 0 ? 0 : at));
  view.setUint32(SIZE_FIELD, path.length);
}

/** Writes extensions; returns where they end, `null` if they do not fit. */
function putExtensions(
  bytes: Uint8Array<ArrayBuffer>,
  start: number,
  extensions: readonly HeaderExtension[],
): number | null {
  bytes.fill(0, start);
  const view = new DataView(bytes.buffer);
  let at = start;
  for (const { type, data } of extensions) {
    const next = at + 8 + Math.ceil(data.length / 8) * 8;
    if (next + 8 > bytes.length) return null;
    view.setUint32(at, type);
    view.setUint32(at + 4, data.length);
    bytes.set(data, at + 8);
    at = next;
  }
  // An extension of type 0 and length 0 ends them.
  return at + 8;
}
