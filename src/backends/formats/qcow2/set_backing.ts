import { encodeName } from "../../../base/name_bytes.ts";
import { errnoName } from "../../../base/errno.ts";
import { UserError } from "../../../base/user_error.ts";
import type { Backend } from "../../backend.ts";
import type { RecordedBacking } from "../../driver.ts";
import { AUTOCLEAR, EXTENSION, LIMIT, SECTOR } from "./constants.ts";
import type { HeaderExtension } from "./header_extensions.ts";
import { readFully } from "../../read_fully.ts";
import { readHeader } from "./read_header.ts";
import { writeFully } from "./write_fully.ts";

/** Positions of `backing_file_offset` and `backing_file_size`. */
const OFFSET_FIELD = 8;
const SIZE_FIELD = 16;

/**
 * Records another image below an image, durably, by one write to the start of
 * its file. All other header extensions stay.
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
  const refuse = (why: string) =>
    new UserError(`Cannot change the backing file of ${name}: ${why}`);
  const header = await readHeader(file, name);
  const { clusterBits, headerLength, autoclear, hasDataFile } = header;
  const isRaw = (autoclear & AUTOCLEAR.RAW_DATA_FILE) !== 0n && hasDataFile;
  if (backing !== null && isRaw) {
    throw refuse("its data file is a raw image, which nothing can be below");
  }
  const bytes = new Uint8Array(2 ** clusterBits);
  const got = await readFully(file, 0, bytes, 0, headerLength);
  if (got < headerLength) throw refuse("its header cannot be read");
  const path = backing === null ? new Uint8Array() : encodeName(backing.name);
  if (path.length > LIMIT.BACKING_NAME) {
    throw refuse(`a path has ${LIMIT.BACKING_NAME} bytes at most`);
  }
  const kept = header.extensions.filter(({ type }) =>
    type !== EXTENSION.BACKING_FORMAT
  );
  const extensions: HeaderExtension[] = backing === null ? kept : [{
    type: EXTENSION.BACKING_FORMAT,
    data: new TextEncoder().encode(backing.format),
  }, ...kept];
  let end = putExtensions(bytes, headerLength, extensions);
  if (end === null || end + path.length > bytes.length) {
    // Only a help for programs that do not know a feature.
    const fewer = extensions.filter(({ type }) =>
      type !== EXTENSION.FEATURE_NAMES
    );
    end = putExtensions(bytes, headerLength, fewer);
  }
  if (end === null || end + path.length > bytes.length) {
    throw refuse(
      "the path does not fit into its first cluster; use a shorter one",
    );
  }
  bytes.set(path, end);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(OFFSET_FIELD, BigInt(path.length === 0 ? 0 : end));
  view.setUint32(SIZE_FIELD, path.length);
  const used = Math.ceil((end + path.length) / SECTOR) * SECTOR;
  let error = await writeFully(file, 0, bytes.subarray(0, used));
  if (error >= 0) error = await file.flush();
  if (error < 0) {
    throw refuse(
      `its file cannot be written (${errnoName(-error)}); check its storage`,
    );
  }
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
