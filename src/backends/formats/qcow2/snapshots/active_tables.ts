import type { CheckedImage } from "../check/checked_image.ts";
import { countEntries } from "../check/count_entries.ts";
import type { ReferenceCounter } from "../check/reference_counter.ts";
import { hasPlace, tableOffset } from "../check/table_entry.ts";
import type { NewMetadata } from "./new_metadata.ts";

const COPIED = 0x8000_0000 | 0;
const COMPRESSED = 0x4000_0000;

/** Where the L2 tables of a disk are, in bytes; 0 for none. */
export type TablePlaces = readonly number[];

/** Reads the places of L2 tables. */
export async function readPlaces(
  image: CheckedImage,
  l1Offset: number,
  l1Entries: number,
): Promise<TablePlaces | null> {
  const words = await image.readWords(l1Offset, l1Entries * 8);
  if (words === null) return null;
  return Array.from(
    { length: l1Entries },
    (_, i) => tableOffset(words[2 * i]!, words[2 * i + 1]!),
  );
}

/**
 * Counts the references of a disk to L2 tables and clusters.
 *
 * @param sign 1 to add them, -1 to take them away.
 */
export async function countDisk(
  counter: ReferenceCounter,
  places: TablePlaces,
  sign: 1 | -1,
): Promise<void> {
  const { image: { clusterSize } } = counter;
  for (const place of places) {
    if (place === 0) continue;
    counter.refer(place, clusterSize, "an L1 entry", sign);
    await countEntries(counter, place, sign);
  }
}

/**
 * Makes the L2 tables of the current disk agree with the references: a cluster or
 * table that is used once is marked as copied, any other is not. A table in which
 * that changes a flag is written to a new place, and the old one stays as it is.
 *
 * @param others Disks that have the same tables, and get the same places.
 * @returns The words of the L1 table, and the places of its tables.
 */
export async function markTables(
  image: CheckedImage,
  metadata: NewMetadata,
  places: TablePlaces,
  disks: number,
): Promise<{ readonly l1: Int32Array; readonly places: TablePlaces }> {
  const { clusterSize } = image;
  const { counts } = metadata;
  const l1 = new Int32Array(2 * places.length);
  const marked: number[] = [];
  for (const [i, old] of places.entries()) {
    let place = old;
    if (old !== 0) {
      const words = await image.readWords(old, clusterSize);
      if (words === null) throw metadata.failure("a table cannot be read");
      const isAlone = counts.get(old / clusterSize) === 1;
      if (markEntries(image, metadata, words, isAlone)) {
        counts.add(old / clusterSize, -disks);
        place = await metadata.writeWords(words);
        counts.add(place / clusterSize, disks - 1);
      }
      const copied = counts.get(place / clusterSize) === 1 ? COPIED : 0;
      l1[2 * i] = Math.floor(place / 2 ** 32) | copied;
      l1[2 * i + 1] = place % 2 ** 32 | 0;
    }
    marked.push(place);
  }
  return { l1, places: marked };
}

/** Sets the flags of entries right; whether one has changed. */
function markEntries(
  { clusterSize, geometry: { entryWords, hasDataFile } }: CheckedImage,
  { counts }: NewMetadata,
  words: Int32Array,
  isAlone: boolean,
): boolean {
  let isChanged = false;
  for (let word = 0; word < words.length; word += entryWords) {
    const [high, low] = [words[word]!, words[word + 1]!];
    if ((high & COMPRESSED) !== 0 || !hasPlace(high, low, hasDataFile)) {
      continue;
    }
    const cluster = Math.floor(tableOffset(high, low) / clusterSize);
    const isOwn = isAlone && counts.get(cluster) === 1;
    if (isOwn === ((high & COPIED) !== 0)) continue;
    words[word] = high ^ COPIED;
    isChanged = true;
  }
  return isChanged;
}
