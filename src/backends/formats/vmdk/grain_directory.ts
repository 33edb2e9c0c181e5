/**
 * The grain directory of a sparse extent, which says where its grain tables are.
 *
 * @module
 */
import type { Backend } from "../../backend.ts";
import { BAD_TABLE } from "../../mapped/l1_table.ts";
import { readFully } from "../../read_fully.ts";
import { SECTOR } from "./constants.ts";
import { refusal } from "./refusal.ts";
import { directorySize, type SparseHeader } from "./sparse_header.ts";

/** Bytes that are read at once. */
const PART = 1 << 20;

/**
 * Reads the grain directory of an extent, whose words are sectors: an `L1Table`.
 * Where it makes no sense, the second one counts, if there is one.
 *
 * @param file The extent's file.
 * @param fileSize Its size in bytes.
 * @param header The extent's header, or that of its footer.
 * @param name The extent's name in errors.
 * @throws {UserError} If neither can be read.
 */
export async function readDirectory(
  file: Backend,
  fileSize: number,
  header: SparseHeader,
  name: string,
): Promise<SharedArrayBuffer> {
  const { directoryAt, redundantAt, tableEntries } = header;
  const memory = new SharedArrayBuffer(directorySize(header));
  const words = new Uint32Array(memory);
  const lastSector = Math.floor((fileSize - 4 * tableEntries) / SECTOR);
  const isRead = await readWords(file, directoryAt!, words);
  if (!isRead && redundantAt === null) throw unreadable(name);
  if (!isRead) words.fill(BAD_TABLE);
  refuseBeyond(words, lastSector);
  if (redundantAt === null || !words.includes(BAD_TABLE)) return memory;
  const other = new Uint32Array(words.length);
  if (!await readWords(file, redundantAt, other)) {
    if (isRead) return memory;
    throw unreadable(name);
  }
  refuseBeyond(other, lastSector);
  for (let i = 0; i < words.length; i++) {
    if (words[i] === BAD_TABLE) words[i] = other[i]!;
  }
  return memory;
}

function unreadable(name: string): Error {
  return refusal(name, "its grain directory cannot be read completely");
}

/** Reads words in the file's order; whether all of them were there. */
async function readWords(
  file: Backend,
  at: number,
  words: Uint32Array,
): Promise<boolean> {
  const size = 4 * words.length;
  const part = new Uint8Array(Math.min(size, PART));
  const view = new DataView(part.buffer);
  for (let done = 0; done < size; done += part.length) {
    const length = Math.min(part.length, size - done);
    const got = await readFully(file, at + done, part, 0, length);
    if (got < length) return false;
    for (let i = 0; i < length; i += 4) {
      words[(done + i) / 4] = view.getUint32(i, true);
    }
  }
  return true;
}

/** A table that the file has not: what it would map cannot be read. */
function refuseBeyond(words: Uint32Array, lastSector: number): void {
  for (let i = 0; i < words.length; i++) {
    if (words[i]! > lastSector) words[i] = BAD_TABLE;
  }
}
