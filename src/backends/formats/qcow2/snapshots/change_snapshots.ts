/**
 * Making, applying and deleting internal snapshots of an image that no other
 * program uses.
 *
 * @module
 */
import { UserError } from "../../../../base/user_error.ts";
import type { Backend } from "../../../backend.ts";
import { examine } from "../check/check_qcow2.ts";
import type { CheckedImage } from "../check/checked_image.ts";
import { countReferences } from "../check/count_references.ts";
import { ReferenceCounter } from "../check/reference_counter.ts";
import { AUTOCLEAR, LIMIT } from "../constants.ts";
import { writeAutoclear } from "../feature_bits.ts";
import { geometryOf, l1EntriesFor } from "../geometry.ts";
import {
  findSnapshot,
  readSnapshotTable,
  type Snapshot,
} from "../snapshot_table.ts";
import {
  countDisk,
  markTables,
  readPlaces,
  type TablePlaces,
} from "./active_tables.ts";
import { keepLeaks } from "./keep_leaks.ts";
import {
  type ClusterRange,
  type HeaderFields,
  type ImageInUse,
  NewMetadata,
} from "./new_metadata.ts";
import {
  joinEntries,
  newEntry,
  nextId,
  readEntries,
} from "./snapshot_entries.ts";

/** What is done. */
export type SnapshotAction = "create" | "apply" | "delete";

/** Bytes of a snapshot's name at most. */
const SNAPSHOT_NAME_MAX = 255;

/** An image whose snapshots are changed. */
interface Change {
  readonly image: CheckedImage;
  readonly counter: ReferenceCounter;
  readonly metadata: NewMetadata;
  readonly snapshots: readonly Snapshot[];
  /** The entries of the table. */
  readonly entries: readonly Uint8Array<ArrayBuffer>[];
  readonly active: TablePlaces;
}

/**
 * Makes a snapshot of the disk as it is, makes the disk what it was at a
 * snapshot, or deletes a snapshot. A crash leaves the image as it was or as it is
 * to be.
 *
 * @param file The image's file, locked against others; all of it is flushed.
 * @param name Its name in errors.
 * @param snapshot The name of a new snapshot; the id or name of another one.
 * @param timeMs The time of a new one, in milliseconds since 1970.
 * @param use How it is used meanwhile; `null` if it is not.
 * @returns Clusters that nothing refers to any more, and that are still counted
 * as used once: none if it is not used.
 * @throws {UserError} If the image is damaged, or it cannot be done.
 */
export async function changeSnapshots(
  file: Backend,
  name: string,
  action: SnapshotAction,
  snapshot: string,
  timeMs: number,
  use: ImageInUse | null = null,
): Promise<readonly ClusterRange[]> {
  const doing = `${action} snapshot ${JSON.stringify(snapshot)} of ${name}`;
  const change = await prepare(file, name, doing, use);
  if (change.image.header.hasDataFile) {
    throw change.metadata.failure(
      "its data are in another file, of which there are no snapshots",
    );
  }
  switch (action) {
    case "create":
      return await create(change, snapshot, timeMs);
    case "apply": {
      const found = find(change, snapshot);
      if (!await forgetBitmaps(change)) return await apply(change, found);
      return await changeSnapshots(file, name, action, snapshot, timeMs);
    }
    case "delete":
      return await remove(change, find(change, snapshot));
  }
}

/**
 * Makes an overlay show the image below it everywhere: its disk has nothing any
 * more. Snapshots keep what they have.
 *
 * @param file As that of {@linkcode changeSnapshots}.
 * @param name Its name in errors.
 * @throws {UserError} If the image is damaged, or it cannot be done.
 */
export async function emptyDisk(file: Backend, name: string): Promise<void> {
  const change = await prepare(file, name, `empty ${name}`);
  const { image: { header }, counter, metadata, active, entries } = change;
  await countDisk(counter, active, -1);
  const words = new Int32Array(2 * header.l1Entries);
  const l1Offset = await metadata.writeWords(words);
  moveL1(change, header.l1Offset, header.l1Entries);
  await commit(change, { l1Offset }, entries);
}

async function prepare(
  file: Backend,
  name: string,
  action: string,
  use: ImageInUse | null = null,
): Promise<Change> {
  const refuse = (why: string) => new UserError(`Cannot ${action}: ${why}`);
  const examined = await examine(file, name);
  const { counter: before } = examined;
  const { image, report } = before;
  if (report.corruptions > 0 || report.unreadable > 0) {
    throw refuse("it is damaged; repair it with 'check --repair=all' first");
  }
  const { header } = image;
  const counter = ReferenceCounter.create(image);
  await countReferences(counter);
  if (use !== null && !await keepLeaks(examined, counter.counts)) {
    throw refuse("its refcounts cannot be read; check its storage");
  }
  const metadata = new NewMetadata(
    image,
    before.counts,
    counter.counts,
    action,
    use,
  );
  const { snapshots, size } = await readSnapshotTable(file, header, name);
  const entries = await readEntries(image, size);
  const active = await readPlaces(image, header.l1Offset, header.l1Entries);
  if (entries === null || active === null) {
    throw refuse("a table of it cannot be read; check its storage");
  }
  return { image, counter, metadata, snapshots, entries, active };
}

function find({ snapshots, image }: Change, wanted: string): Snapshot {
  return findSnapshot(snapshots, wanted, image.name);
}

async function create(
  change: Change,
  name: string,
  timeMs: number,
): Promise<readonly ClusterRange[]> {
  const { image, counter, metadata, snapshots, entries, active } = change;
  const { header } = image;
  const bytes = new TextEncoder().encode(name).length;
  if (name === "" || bytes > SNAPSHOT_NAME_MAX) {
    throw metadata.failure(`a name has 1 to ${SNAPSHOT_NAME_MAX} bytes`);
  }
  if (snapshots.some((each) => each.name === name || each.id === name)) {
    throw metadata.failure("there is one already; choose another name");
  }
  if (snapshots.length === LIMIT.SNAPSHOTS) {
    throw metadata.failure(`it has ${LIMIT.SNAPSHOTS}, and may not have more`);
  }
  await countDisk(counter, active, 1);
  refuseOverflow(change);
  const { l1 } = await markTables(image, metadata, active, 2);
  const l1Offset = await metadata.writeWords(l1);
  const entry = newEntry({
    id: nextId(snapshots),
    name,
    l1Offset: await metadata.writeWords(l1),
    l1Entries: header.l1Entries,
    size: header.size,
  }, timeMs);
  moveL1(change, header.l1Offset, header.l1Entries);
  return await commit(change, { l1Offset }, [...entries, entry]);
}

/** Notes that bitmaps do not agree with the data any more; whether they did. */
async function forgetBitmaps({ image, metadata }: Change): Promise<boolean> {
  const { file, header: { autoclear } } = image;
  if ((autoclear & AUTOCLEAR.BITMAPS) === 0n) return false;
  let error = await writeAutoclear(file, autoclear & ~AUTOCLEAR.BITMAPS);
  if (error >= 0) error = await file.flush();
  if (error >= 0) return true;
  throw metadata.failure("its header cannot be written; check its storage");
}

async function apply(
  change: Change,
  snapshot: Snapshot,
): Promise<readonly ClusterRange[]> {
  const { image, counter, metadata, entries, active } = change;
  const { header, name } = image;
  const geometry = geometryOf(header);
  const { size, l1Offset, l1Entries: there } = snapshot;
  // What follows is the state of a machine.
  const l1Entries = l1EntriesFor(geometry, size, there, name);
  const places = await readPlaces(image, l1Offset, l1Entries);
  if (places === null) throw metadata.failure("its L1 table cannot be read");
  await countDisk(counter, active, -1);
  await countDisk(counter, places, 1);
  refuseOverflow(change);
  const { l1 } = await markTables(image, metadata, places, 1);
  const fields = { size, l1Entries, l1Offset: await metadata.writeWords(l1) };
  moveL1(change, header.l1Offset, header.l1Entries);
  return await commit(change, fields, entries);
}

async function remove(
  change: Change,
  snapshot: Snapshot,
): Promise<readonly ClusterRange[]> {
  const { image, counter, metadata, snapshots, entries, active } = change;
  const { header } = image;
  const { l1Offset, l1Entries } = snapshot;
  const places = await readPlaces(image, l1Offset, l1Entries);
  if (places === null) throw metadata.failure("its L1 table cannot be read");
  await countDisk(counter, places, -1);
  moveL1(change, l1Offset, l1Entries);
  const { l1 } = await markTables(image, metadata, active, 1);
  const fields = { l1Offset: await metadata.writeWords(l1) };
  moveL1(change, header.l1Offset, header.l1Entries);
  const index = snapshots.indexOf(snapshot);
  return await commit(change, fields, entries.toSpliced(index, 1));
}

/** Takes the reference to an L1 table away, which is dropped. */
function moveL1({ counter }: Change, offset: number, entries: number): void {
  counter.refer(offset, entries * 8, "the L1 table", -1);
}

/** Writes the table of snapshots, and makes the header refer to all of it. */
async function commit(
  { image, counter, metadata, entries: old }: Change,
  fields: Partial<HeaderFields>,
  entries: readonly Uint8Array[],
): Promise<readonly ClusterRange[]> {
  const { header } = image;
  const { snapshotsOffset: before } = header;
  let snapshotsOffset = before;
  if (entries !== old) {
    const table = joinEntries(entries);
    if (table.length > LIMIT.SNAPSHOT_TABLE_BYTES) {
      throw metadata.failure("its table of snapshots would be too large");
    }
    snapshotsOffset = table.length === 0 ? 0 : await metadata.write(table);
    counter.refer(before, joinEntries(old).length, "the old table", -1);
  }
  const { size, l1Offset, l1Entries } = header;
  return await metadata.commit({
    size,
    l1Offset,
    l1Entries,
    ...fields,
    snapshots: entries.length,
    snapshotsOffset,
  });
}

function refuseOverflow({ counter, metadata, image }: Change): void {
  if (counter.report.corruptions === 0) return;
  const bits = 2 ** image.header.refcountOrder;
  throw metadata.failure(
    `its refcounts of ${bits} bits cannot count one more reference; convert it first`,
  );
}
