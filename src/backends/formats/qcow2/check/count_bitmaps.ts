import type { ReferenceCounter } from "./reference_counter.ts";
import { tableOffset } from "./table_entry.ts";

/** Bytes of an entry of the directory without its extra data and name. */
const ENTRY = 24;
/** Bounds of QEMU (block/qcow2-bitmap.c). */
const BITMAPS_MAX = 65_535;
const DIRECTORY_MAX = 1024 * BITMAPS_MAX;
const TABLE_ENTRIES_MAX = 0x800_0000;
/** Bits of an entry of a bitmap's table that are 0; all ones without a place. */
const RESERVED_HIGH = 0xff00_0000 | 0;
const RESERVED_LOW = 0x1fe;
const PART = 1 << 20;

/**
 * Counts what the bitmaps of an image refer to.
 *
 * @param data The header extension of bitmaps.
 */
export async function countBitmaps(
  counter: ReferenceCounter,
  data: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const { image, report } = counter;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const damaged = (what: string) => report.corrupt("BITMAPS", what);
  if (data.length < ENTRY) return damaged("the extension is too short");
  const count = view.getUint32(0);
  const size = Number(view.getBigUint64(8));
  const at = Number(view.getBigUint64(16));
  if (count === 0) return;
  counter.refer(at, size, "the directory of bitmaps");
  if (count > BITMAPS_MAX || size > DIRECTORY_MAX || at + size > image.length) {
    return damaged("the directory is too large");
  }
  const directory = await image.read(at, size);
  if (directory === null) return void report.unreadable++;
  const rows = new DataView(directory.buffer);
  let row = 0;
  for (let bitmap = 0; bitmap < count; bitmap++) {
    if (row + ENTRY > size) return damaged("the directory ends too early");
    const table = Number(rows.getBigUint64(row));
    const entries = rows.getUint32(row + 8);
    await countTable(counter, table, entries, `bitmap ${bitmap}`);
    const length = ENTRY + rows.getUint16(row + 18) + rows.getUint32(row + 20);
    row += Math.ceil(length / 8) * 8;
  }
}

async function countTable(
  counter: ReferenceCounter,
  at: number,
  entries: number,
  what: string,
): Promise<void> {
  const { image, report } = counter;
  const { clusterSize } = image;
  counter.refer(at, entries * 8, `the table of ${what}`);
  const isSound = entries > 0 && entries <= TABLE_ENTRIES_MAX &&
    at % clusterSize === 0 && at + entries * 8 <= image.length + clusterSize;
  if (!isSound) return report.corrupt("BITMAPS", `the table of ${what}`);
  for (let done = 0; done < entries * 8; done += PART) {
    const length = Math.min(PART, entries * 8 - done);
    const words = await image.readWords(at + done, length);
    if (words === null) return void report.unreadable++;
    for (let word = 0; word < words.length; word += 2) {
      const [high, low] = [words[word]!, words[word + 1]!];
      const offset = tableOffset(high, low);
      const isEntry = (high & RESERVED_HIGH) === 0 &&
        (low & RESERVED_LOW) === 0 && offset % clusterSize === 0 &&
        (offset === 0 || (low & 1) === 0);
      if (!isEntry) report.corrupt("BITMAPS", `an entry of ${what}`);
      else if (offset > 0) counter.refer(offset, clusterSize, what);
    }
  }
}
