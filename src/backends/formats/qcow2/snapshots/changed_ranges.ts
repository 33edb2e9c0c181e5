import { UserError } from "../../../../base/user_error.ts";
import type { Backend } from "../../../backend.ts";
import type { DiskRange } from "../../../convert/disk_part.ts";
import { CheckedImage } from "../check/checked_image.ts";
import { readHeader } from "../read_header.ts";
import { findSnapshot, readSnapshots } from "../snapshot_table.ts";
import { readPlaces, type TablePlaces } from "./active_tables.ts";

const COPIED = 0x8000_0000 | 0;

/**
 * The clusters of a disk whose entries differ from those of a snapshot: what may
 * have changed since then. Those of the same entry have the same bytes, because
 * a cluster that a snapshot has is never written to.
 *
 * @param file The image's file.
 * @param name Its name in errors.
 * @param since The id or name of the snapshot.
 * @param until That of a later one; `null` for the current disk.
 * @throws {UserError} If there is no such snapshot, or a table cannot be read.
 */
export async function* changedRanges(
  file: Backend,
  name: string,
  since: string,
  until: string | null,
): AsyncGenerator<DiskRange, void> {
  const header = await readHeader(file, name);
  const { size } = await file.stat();
  const image = new CheckedImage(file, header, name, size);
  const snapshots = await readSnapshots(file, header, name);
  const then = findSnapshot(snapshots, since, name);
  const now = until === null ? header : findSnapshot(snapshots, until, name);
  const before = await placesOf(image, then);
  const after = await placesOf(image, now);
  const { clusterSize, geometry: { entryWords } } = image;
  const perTable = clusterSize / 4 / entryWords;
  for (const [table, place] of after.entries()) {
    const old = before[table] ?? 0;
    if (place === old) continue;
    const [words, oldWords] = [
      await wordsAt(image, place),
      await wordsAt(image, old),
    ];
    for (let entry = 0; entry < perTable; entry++) {
      if (isSame(words, oldWords, entry * entryWords, entryWords)) continue;
      const start = (table * perTable + entry) * clusterSize;
      if (start >= now.size) return;
      yield { start, end: Math.min(start + clusterSize, now.size) };
    }
  }
}

async function placesOf(
  image: CheckedImage,
  { l1Offset, l1Entries }: {
    readonly l1Offset: number;
    readonly l1Entries: number;
  },
): Promise<TablePlaces> {
  const places = await readPlaces(image, l1Offset, l1Entries);
  return places ?? unreadable(image);
}

/** The words of an L2 table; zeroes if there is none. */
async function wordsAt(
  image: CheckedImage,
  place: number,
): Promise<Int32Array> {
  const { clusterSize } = image;
  if (place === 0) return new Int32Array(clusterSize / 4);
  return await image.readWords(place, clusterSize) ?? unreadable(image);
}

function unreadable({ name }: CheckedImage): never {
  throw new UserError(
    `Cannot compare snapshots of ${name}: a table cannot be read; check its storage`,
  );
}

function isSame(
  one: Int32Array,
  other: Int32Array,
  at: number,
  words: number,
): boolean {
  if (((one[at]! ^ other[at]!) & ~COPIED) !== 0) return false;
  for (let i = 1; i < words; i++) {
    if (one[at + i] !== other[at + i]) return false;
  }
  return true;
}
