/**
 * The check of images and their repair, beside those of QEMU.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { UserError } from "../../../src/base/user_error.ts";
import {
  checkQcow2,
  repairQcow2,
} from "../../../src/backends/formats/qcow2/check/check_qcow2.ts";
import type { CheckReport } from "../../../src/backends/formats/qcow2/check/check_report.ts";
import type { Random } from "../../_random.ts";
import { damage, makeUsedImage } from "./_damage.ts";
import { inDirectory, openReal } from "./_qemu.ts";

/** What QEMU says: its numbers, or that the image cannot be opened. */
export async function checkByQemu(directory: string) {
  const { code, stdout, stderr } = await new Deno.Command("timeout", {
    args: [
      "60",
      "qemu-img",
      "check",
      "-f",
      "qcow2",
      "--output=json",
      "a.qcow2",
    ],
    cwd: directory,
  }).output();
  const text = new TextDecoder();
  if (code === 1) return { refusal: text.decode(stderr) };
  if (code === 124) throw new Error("qemu-img check took too long");
  const { corruptions = 0, leaks = 0, ...rest } = JSON.parse(
    text.decode(stdout),
  );
  return { corruptions, leaks, unreadable: rest["check-errors"] ?? 0 };
}

/** Opens the file of an image, for a check or repair. */
async function withFile<T>(
  directory: string,
  writable: boolean,
  work: (file: Awaited<ReturnType<typeof openReal>>["backend"]) => Promise<T>,
): Promise<T> {
  const image = await openReal(`${directory}/a.qcow2`, { writable });
  try {
    return await work(image.backend);
  } finally {
    await image.close();
  }
}

/**
 * Tables that share clusters with something else. QEMU counts none of them: an
 * image is clean to it whose L1 table is data of the guest too, if both have
 * their reference.
 */
function overlapsOf({ damage }: CheckReport): number {
  return damage.find(({ kind }) => kind === "OVERLAP")?.count ?? 0;
}

/** What our check says, in the same form. */
export async function checkByUs(directory: string) {
  try {
    return await withFile(directory, false, async (file) => {
      const report = await checkQcow2(file, "a.qcow2");
      const { leaks, unreadable } = report;
      const corruptions = report.corruptions - overlapsOf(report);
      return { corruptions, leaks, unreadable, report };
    });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { refusal: error.message };
  }
}

/**
 * Damages an image in several ways, and asserts that QEMU finds as much damage as
 * our check each time.
 *
 * @param kind One of `DAMAGE_KINDS`.
 * @param images How many damaged images there are.
 */
export function compareChecks(
  kind: string,
  images: number,
  random: Random,
): Promise<void> {
  return inDirectory(async (directory) => {
    await makeUsedImage(directory, kind, random);
    const path = `${directory}/a.qcow2`;
    const whole = await Deno.readFile(path);
    for (let i = 0; i < images; i++) {
      const image = whole.slice();
      if (i > 0) damage(image, random);
      await Deno.writeFile(path, image);
      const theirs = await checkByQemu(directory);
      const ours = await checkByUs(directory);
      // What one of them does not open has no verdict to compare.
      if ("refusal" in theirs || "refusal" in ours) continue;
      const { report, ...numbers } = ours;
      assertEquals(numbers, theirs, JSON.stringify(report.damage));
    }
  });
}

/**
 * Damages an image in several ways, and asserts that our repair leaves no damage
 * each time that QEMU could have repaired.
 *
 * @param kind One of `DAMAGE_KINDS`.
 * @param images How many damaged images there are.
 */
export function compareRepairs(
  kind: string,
  images: number,
  random: Random,
): Promise<void> {
  return inDirectory(async (directory) => {
    await makeUsedImage(directory, kind, random);
    const path = `${directory}/a.qcow2`;
    const whole = await Deno.readFile(path);
    for (let i = 0; i < images; i++) {
      const image = whole.slice();
      damage(image, random);
      await Deno.writeFile(path, image);
      const found = await checkByUs(directory);
      if ("refusal" in found || found.unreadable > 0) continue;
      const choice = random.pick(["leaks", "all"] as const);
      if (choice === "leaks" && found.report.needsRebuild) continue;
      if (!await repairs(directory, choice)) continue;
      const ours = await checkByUs(directory);
      assert(!("refusal" in ours), `${JSON.stringify(ours)}`);
      const { report, ...numbers } = ours;
      assertEquals(numbers.leaks, 0, JSON.stringify(report.damage));
      const theirs = await checkByQemu(directory);
      assert(!("refusal" in theirs), JSON.stringify(theirs));
      assertEquals(numbers, theirs, JSON.stringify(report.damage));
      if (choice === "all") assertEquals(repairableIn(report), []);
    }
  });
}

/** Repairs `a.qcow2`; returns whether that can be. */
export async function repairs(
  directory: string,
  choice: "leaks" | "all",
): Promise<boolean> {
  try {
    await withFile(
      directory,
      true,
      (file) => repairQcow2(file, "a.qcow2", choice),
    );
    return true;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    assertMatch(
      error.message,
      /where its new refcounts would be|its header is used/,
    );
    return false;
  }
}

/** Kinds of damage that a repair of everything must not leave. */
function repairableIn(report: CheckReport): string[] {
  const repairable = ["REFCOUNT_LOW", "REFCOUNT_BLOCKS"];
  // Flags in tables that are something else too stay as they are.
  if (overlapsOf(report) === 0) repairable.push("COPIED");
  return report.damage.map(({ kind }) => kind).filter((kind) =>
    repairable.includes(kind)
  );
}
