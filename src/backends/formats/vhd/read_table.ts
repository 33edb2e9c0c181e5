import type { Backend } from "../../backend.ts";
import { readFully } from "../../read_fully.ts";
import type { VhdHeader } from "./dynamic_header.ts";
import { refusal } from "./refusal.ts";

/** Bytes of a table at most: twice what a disk of 2 TiB in small blocks has. */
const TABLE_MAX = 32 << 20;
/** Bytes that are read at once. */
const PART = 1 << 20;

/**
 * Reads the entries that a disk needs.
 *
 * @param file The image's file.
 * @param header Its header.
 * @param size The size of the disk in bytes.
 * @param name The image's name in errors.
 * @throws {UserError} If the table has fewer entries, or lies beyond the end.
 */
export async function readTable(
  file: Backend,
  { tableOffset, entries, blockSize }: VhdHeader,
  size: number,
  name: string,
): Promise<SharedArrayBuffer> {
  const needed = Math.ceil(size / blockSize);
  const length = needed * 4;
  if (length > TABLE_MAX) {
    throw refusal(name, `its table of ${needed} entries is too large`);
  }
  if (needed > entries) {
    const why =
      `its table has ${entries} entries, yet ${size} bytes need ${needed}`;
    throw refusal(name, why);
  }
  const end = (await file.stat()).size;
  if (tableOffset + length > end) {
    throw refusal(name, "its table lies beyond the end of its file");
  }
  const words = new Uint32Array(new SharedArrayBuffer(length));
  const part = new Uint8Array(Math.min(PART, length));
  const view = new DataView(part.buffer);
  for (let at = 0; at < length; at += PART) {
    const here = Math.min(PART, length - at);
    const got = await readFully(file, tableOffset + at, part, 0, here);
    if (got < here) throw refusal(name, "its table cannot be read");
    for (let i = 0; i < here / 4; i++) {
      words[at / 4 + i] = view.getUint32(4 * i);
    }
  }
  return words.buffer;
}
