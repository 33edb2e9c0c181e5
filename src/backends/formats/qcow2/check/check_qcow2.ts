/**
 * The check of an image, and its repair.
 *
 * @module
 */
import { errnoName } from "../../../../base/errno.ts";
import { UserError } from "../../../../base/user_error.ts";
import type { Backend } from "../../../backend.ts";
import { INCOMPATIBLE } from "../constants.ts";
import { writeIncompatible } from "../feature_bits.ts";
import { readHeader } from "../read_header.ts";
import type { CheckReport } from "./check_report.ts";
import { CheckedImage } from "./checked_image.ts";
import { compareRefcounts } from "./compare_refcounts.ts";
import { CopiedFlags } from "./copied_flags.ts";
import { countReferences } from "./count_references.ts";
import { findOverlaps } from "./find_overlaps.ts";
import { ReferenceCounter } from "./reference_counter.ts";
import { rebuildRefcounts } from "./rebuild_refcounts.ts";
import { StoredRefcounts } from "./stored_refcounts.ts";
import { zeroUnaligned } from "./zero_unaligned.ts";

/** The most clusters of a file that is checked; QEMU's limit too. */
const CLUSTERS_MAX = 2 ** 31 - 1;

/** What is repaired: space that is lost, or everything that can be. */
export type RepairChoice = "leaks" | "all";

/** What is known of an image after a check. */
export interface Examined {
  readonly counter: ReferenceCounter;
  readonly stored: StoredRefcounts;
}

/**
 * Checks the tables of an image, by what `qemu-img check` counts.
 *
 * @param file The image's file, locked against other writers.
 * @param name Its name in errors.
 * @throws {UserError} If it is no image, or cannot be checked to the end.
 */
export async function checkQcow2(
  file: Backend,
  name: string,
): Promise<CheckReport> {
  return (await examine(file, name)).counter.report;
}

/**
 * Repairs an image: frees clusters that are in use and not referred to, and with
 * `all` makes refcounts and COPIED flags agree with the references, and entries
 * without data forget a place that makes no sense. Other entries that lead
 * nowhere stay as they are, and so do tables that share clusters with something
 * else, because a change of them might destroy it.
 *
 * If no damage is left, the bits are cleared that mark the image as dirty or
 * corrupt.
 *
 * @returns What was wrong before, and what still is.
 * @throws {UserError} If it cannot be repaired.
 */
export async function repairQcow2(
  file: Backend,
  name: string,
  choice: RepairChoice,
): Promise<{ readonly before: CheckReport; readonly after: CheckReport }> {
  const examined = await examine(file, name);
  const before = examined.counter.report;
  if (before.unreadable > 0) {
    throw cannot(name, "some of its tables cannot be read; check its storage");
  }
  // With nothing wrong, the bits are still to be cleared.
  if (choice === "leaks" && before.leaks === 0) {
    return { before, after: before };
  }
  if (choice === "leaks" && before.needsRebuild) {
    throw cannot(name, "its refcounts have to be rebuilt; use repair=all");
  }
  let error = choice === "leaks"
    ? await freeLeaks(examined)
    : await repairAll(examined);
  if (error < 0) throw cannotWrite(name, error);
  const { image, report: after } = (await examine(file, name)).counter;
  if (after.corruptions === 0) error = await markSound(image);
  if (error < 0) throw cannotWrite(name, error);
  return { before, after };
}

/** Clears the bits that keep others from writing to the image. */
async function markSound(
  { file, header: { incompatible } }: CheckedImage,
): Promise<number> {
  const bits = incompatible & ~INCOMPATIBLE.DIRTY & ~INCOMPATIBLE.CORRUPT;
  if (bits === incompatible) return 0;
  const error = await writeIncompatible(file, bits);
  return error < 0 ? error : await file.flush();
}

/**
 * Checks an image, and keeps what it has counted.
 *
 * @throws {UserError} If it is no image, or cannot be checked to the end.
 */
export async function examine(
  file: Backend,
  name: string,
): Promise<Examined> {
  const header = await readHeader(file, name);
  const { size } = await file.stat();
  const image = new CheckedImage(file, header, name, size);
  if (image.clusters > CLUSTERS_MAX) {
    throw new UserError(
      `Cannot check ${name}: its file has more than ${CLUSTERS_MAX} clusters; copy it with 'qemu-img convert'`,
    );
  }
  const counter = ReferenceCounter.create(image);
  await countReferences(counter);
  const stored = await StoredRefcounts.read(counter);
  findOverlaps(counter);
  await compareRefcounts(counter, stored);
  const refcountOf = (cluster: number) => stored.get(cluster);
  await new CopiedFlags(counter, refcountOf, counter.report).visit();
  return { counter, stored };
}

async function freeLeaks(
  { counter: { image, counts }, stored }: Examined,
): Promise<number> {
  // What is beyond the end is no leak, though entries may lead there.
  const end = Math.max(image.clusters, counts.end);
  for (const [block, offset] of stored.blocks.entries()) {
    if (offset === 0) continue;
    const error = await stored.change(
      block,
      (cluster, refcount) =>
        cluster < end ? Math.min(refcount, counts.get(cluster)) : refcount,
    );
    if (error < 0) return error;
  }
  return await image.file.flush();
}

async function repairAll(examined: Examined): Promise<number> {
  const { image, report } = examined.counter;
  if (report.needsRebuild && !examined.counter.isAlone(0, 1, 1)) {
    throw cannot(
      image.name,
      "its header is used as a table or as data too, and would have to be changed; export it read-only and copy what can be read",
    );
  }
  let error = await zeroUnaligned(examined.counter);
  if (error < 0) return error;
  const known = error === 0 ? examined : await examine(image.file, image.name);
  let { counter } = known;
  if (counter.report.needsRebuild) {
    // Without the refcounts, which are then free.
    counter = ReferenceCounter.create(image);
    await countReferences(counter);
    error = await rebuildRefcounts(counter);
  } else {
    error = await setRefcounts(known);
  }
  if (error >= 0) error = await image.file.flush();
  if (error < 0) return error;
  const refcountOf = (cluster: number) => counter.counts.get(cluster);
  error = await new CopiedFlags(counter, refcountOf, null).visit();
  return error < 0 ? error : await image.file.flush();
}

async function setRefcounts(
  { counter: { counts }, stored }: Examined,
): Promise<number> {
  for (const [block, offset] of stored.blocks.entries()) {
    if (offset === 0) continue;
    const error = await stored.change(block, (cluster) => counts.get(cluster));
    if (error < 0) return error;
  }
  return 0;
}

function cannotWrite(name: string, error: number): UserError {
  return cannot(name, `${errnoName(-error)} while writing; check its storage`);
}

function cannot(name: string, why: string): UserError {
  return new UserError(`Cannot repair ${name}: ${why}`);
}
