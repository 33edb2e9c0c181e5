import { UserError } from "../../../../base/user_error.ts";
import type { ImageBelow, ImageOptions } from "../../../driver.ts";
import { AUTOCLEAR, COMPATIBLE, INCOMPATIBLE } from "../constants.ts";
import { writeAutoclear } from "../feature_bits.ts";
import type { Qcow2Header } from "../header.ts";
import { SliceCache } from "../../../mapped/slice_cache.ts";
import { findTables } from "./find_tables.ts";
import { damaged, readFlags, readRefcountTable } from "./read_tables.ts";
import type { WritableImage } from "./writable_image.ts";
import type { SharedWriting } from "./writable_backend.ts";
import { WriteState } from "./write_state.ts";

/**
 * Refuses an image that this program may read and not write.
 *
 * @throws {UserError} If it is one.
 */
export function refuseWriting(
  { incompatible }: Qcow2Header,
  name: string,
  { snapshot }: ImageOptions,
): void {
  const refuse = (why: string, advice: string) => {
    throw new UserError(`Cannot write to ${name}: ${why}; ${advice}`);
  };
  if (snapshot !== null) {
    refuse("a snapshot cannot be changed", "leave snapshot or writable out");
  }
  if ((incompatible & INCOMPATIBLE.CORRUPT) !== 0n) {
    refuse("it is marked as corrupt", "repair it with 'check --repair=all'");
  }
}

/** The memory with which all threads write an image; see `SharedWriting`. */
export async function openForWriting(
  image: WritableImage,
): Promise<SharedWriting> {
  const { name, file, data, header, geometry, cacheSize } = image;
  const { clusterSize, sliceSize } = geometry;
  const { autoclear, refcountOrder: order } = header;
  const table = await readRefcountTable(image);
  const memory = WriteState.create();
  // Not attached to for good: the first thread is the one that attaches first.
  const state = new WriteState(memory);
  const size = await wholeClusters(image);
  const clusters = Math.ceil(size / clusterSize);
  const canGrow = file.file?.stat.kind !== "block";
  state.size = header.size;
  state.set(
    "FILE_CLUSTERS",
    canGrow ? clusters : Math.floor(size / clusterSize),
  );
  state.set("UNUSED_FROM", clusters);
  state.set("TABLE_AT", header.refcountTableOffset / clusterSize);
  state.set("TABLE_CLUSTERS", header.refcountTableClusters);
  state.set("L1_AT", header.l1Offset / clusterSize);
  state.set("L1_ENTRIES", header.l1Entries);
  state.set("SNAPSHOTS", header.snapshots);
  state.set("THREADS", 0);
  const isRaw = (autoclear & AUTOCLEAR.RAW_DATA_FILE) !== 0n;
  const hasBitmaps = (autoclear & AUTOCLEAR.BITMAPS) !== 0n;
  if (hasBitmaps) state.setUnchanged();
  const tables = await findTables(image, new Uint32Array(table), clusters);
  if (tables === null) {
    throw damaged(
      name,
      "its tables overlap, or lie beyond the end of its file",
    );
  }
  if (data !== null) await extendData(data, header.size, name);
  await clearFeatures(image);
  const perSlice = sliceSize * 8 / 2 ** order;
  return {
    state: memory,
    flags: await readFlags(image),
    tables,
    refcounts: {
      order,
      table,
      cache: SliceCache.create(
        cacheSize,
        Math.ceil(clusters / perSlice) + 64,
        sliceSize / 4,
      ),
      canGrow,
    },
    incompatible: header.incompatible,
    autoclear: autoclear & AUTOCLEAR.RAW_DATA_FILE,
    isLazy: (header.compatible & COMPATIBLE.LAZY_REFCOUNTS) !== 0n,
    isRaw: isRaw && data !== null,
  };
}

/** Makes the file end with a whole cluster; returns its size. */
async function wholeClusters(
  { name, file: { backend, file }, geometry: { clusterSize } }: WritableImage,
): Promise<number> {
  const { size } = await backend.stat();
  const whole = Math.ceil(size / clusterSize) * clusterSize;
  if (whole === size || file?.stat.kind === "block") return size;
  await succeed(backend.truncate(whole), name);
  return whole;
}

async function extendData(
  { backend }: ImageBelow,
  size: number,
  name: string,
): Promise<void> {
  const stat = await backend.stat();
  if (stat.size < size) await succeed(backend.truncate(size), name);
}

/**
 * Clears what only holds as long as every program that opens it knows of it.
 *
 * @throws {UserError} If the header cannot be written.
 */
export async function clearFeatures(
  { name, file: { backend }, header }: Pick<
    WritableImage,
    "name" | "file" | "header"
  >,
): Promise<void> {
  const { autoclear } = header;
  const kept = autoclear & (AUTOCLEAR.RAW_DATA_FILE | AUTOCLEAR.BITMAPS);
  if (kept === autoclear) return;
  const error = await writeAutoclear(backend, kept);
  await succeed(error < 0 ? error : backend.flush(), name);
}

async function succeed(
  answer: number | PromiseLike<number>,
  name: string,
): Promise<void> {
  if (await answer < 0) {
    throw new UserError(
      `Cannot write to ${name}: its file cannot be changed; check its storage`,
    );
  }
}
