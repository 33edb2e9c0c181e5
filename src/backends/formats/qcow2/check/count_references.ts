import { AUTOCLEAR, EXTENSION, LIMIT } from "../constants.ts";
import { extensionOf } from "../header_extensions.ts";
import { readSnapshotTable } from "../snapshot_table.ts";
import { countBitmaps } from "./count_bitmaps.ts";
import { countEntries } from "./count_entries.ts";
import type { ReferenceCounter } from "./reference_counter.ts";
import { tableOffset } from "./table_entry.ts";

/** Bits of an L1 entry that are 0. */
const RESERVED_HIGH = 0x7f00_0000;
const RESERVED_LOW = 0x1ff;
/** Bytes of an L1 table that are read at once. */
const PART = 1 << 20;

/**
 * Counts the references of an image to clusters of its file, as
 * `qcow2_check_refcounts()` of QEMU (block/qcow2-refcount.c) does, except for
 * those to its refcounts.
 *
 * @throws {UserError} If the table of snapshots cannot be read.
 */
export async function countReferences(
  counter: ReferenceCounter,
): Promise<void> {
  const { image, report } = counter;
  const { header, file, name, clusterSize } = image;
  const { l1Offset, l1Entries } = header;
  counter.refer(0, clusterSize, "the header");
  await countL1(counter, l1Offset, l1Entries, "the L1 table");
  const { snapshots, size } = await readSnapshotTable(file, header, name);
  if (header.hasDataFile && snapshots.length > 0) {
    report.corrupt("SNAPSHOTS", "an image with a data file has snapshots");
  }
  // Tables of a sound image do not overlap; a hostile one lets all be one.
  let room = image.length;
  for (const { l1Offset, l1Entries, id } of snapshots) {
    const what = `the L1 table of snapshot ${JSON.stringify(id)}`;
    if (l1Offset % clusterSize !== 0) {
      report.corrupt("SNAPSHOTS", `${what} is not aligned to clusters`);
    } else if (l1Entries * 8 > LIMIT.L1_BYTES) {
      report.corrupt("SNAPSHOTS", `${what} is too large`);
    } else if ((room -= l1Entries * 8) < 0) {
      report.corrupt("SNAPSHOTS", `${what} overlaps with others`);
    } else {
      await countL1(counter, l1Offset, l1Entries, what);
    }
  }
  // Each table once, however many snapshots have it.
  for (const [offset, references] of counter.tables) {
    await countEntries(counter, offset, references);
  }
  counter.refer(header.snapshotsOffset, size, "the snapshot table");
  const bitmaps = extensionOf(header.extensions, EXTENSION.BITMAPS);
  const areValid = (header.autoclear & AUTOCLEAR.BITMAPS) !== 0n;
  if (bitmaps !== null && areValid) await countBitmaps(counter, bitmaps);
}

async function countL1(
  counter: ReferenceCounter,
  at: number,
  entries: number,
  what: string,
): Promise<void> {
  const { image, report } = counter;
  counter.refer(at, entries * 8, what);
  for (let done = 0; done < entries * 8; done += PART) {
    const length = Math.min(PART, entries * 8 - done);
    const words = await image.readWords(at + done, length);
    if (words === null) {
      report.unreadable++;
      continue;
    }
    for (let word = 0; word < words.length; word += 2) {
      const entry = (done + 4 * word) / 8;
      const [high, low] = [words[word]!, words[word + 1]!];
      countTable(counter, high, low, `entry ${entry} of ${what}`);
    }
  }
}

function countTable(
  counter: ReferenceCounter,
  high: number,
  low: number,
  what: string,
): void {
  const { image: { clusterSize }, report, tables } = counter;
  if (high === 0 && low === 0) return;
  if ((high & RESERVED_HIGH) !== 0 || (low & RESERVED_LOW) !== 0) {
    report.corrupt("RESERVED_BITS", what);
  }
  const offset = tableOffset(high, low);
  counter.refer(offset, clusterSize, what);
  if (offset % clusterSize !== 0) report.corrupt("UNALIGNED", what);
  tables.set(offset, (tables.get(offset) ?? 0) + 1);
}
