import type { Backend } from "../../backend.ts";
import { BAD_TABLE } from "../../mapped/l1_table.ts";
import { readFully } from "../../read_fully.ts";
import { LIMIT } from "./constants.ts";
import type { Geometry } from "./geometry.ts";
import { refusal } from "./refusal.ts";

/** Bytes that are read at once. */
const PART = 1 << 20;
/** Bits 9 to 55 of an entry hold the offset; bit 63 is COPIED. */
const RESERVED_HIGH = 0x7f00_0000;
const RESERVED_LOW = 0x1ff;

/**
 * Reads an L1 table, whose words are host clusters: an `L1Table`.
 *
 * @param file The image's file.
 * @param at Where the table starts.
 * @param entries How many entries are used.
 * @param geometry The image's.
 * @param name The image's name in errors.
 * @throws {UserError} If it lies beyond the end of the file.
 */
export async function readL1(
  file: Backend,
  at: number,
  entries: number,
  { clusterSize }: Geometry,
  name: string,
): Promise<SharedArrayBuffer> {
  const size = entries * 8;
  if (size > LIMIT.L1_BYTES) throw refusal(name, "its L1 table is too large");
  const memory = new SharedArrayBuffer(entries * 4);
  const words = new Uint32Array(memory);
  const part = new Uint8Array(Math.min(size, PART));
  const view = new DataView(part.buffer);
  for (let done = 0; done < size; done += part.length) {
    const length = Math.min(part.length, size - done);
    const got = await readFully(file, at + done, part, 0, length);
    if (got < length) {
      throw refusal(name, "its L1 table cannot be read completely");
    }
    for (let i = 0; i < length; i += 8) {
      const high = view.getUint32(i);
      const low = view.getUint32(i + 4);
      words[(done + i) / 8] = clusterOfEntry(high, low, clusterSize);
    }
  }
  return memory;
}

function clusterOfEntry(
  high: number,
  low: number,
  clusterSize: number,
): number {
  if ((high & RESERVED_HIGH) !== 0 || (low & RESERVED_LOW) !== 0) {
    return BAD_TABLE;
  }
  const cluster = ((high & 0x00ff_ffff) * 2 ** 32 + low) / clusterSize;
  const isValid = Number.isInteger(cluster) && cluster < BAD_TABLE;
  return isValid ? cluster : BAD_TABLE;
}
