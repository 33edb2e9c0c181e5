/**
 * Changing the tables of a qcow2 image while no program uses it.
 *
 * @module
 */
import { UserError } from "../base/user_error.ts";
import { type Driver, LOOK_OPTIONS } from "./driver.ts";
import { repairDirty } from "./formats/qcow2/check/repair_dirty.ts";
import { INCOMPATIBLE } from "./formats/qcow2/constants.ts";
import { QCOW2, type Qcow2Source } from "./formats/qcow2/driver.ts";
import { readHeader } from "./formats/qcow2/read_header.ts";
import {
  clearFeatures,
  refuseWriting,
} from "./formats/qcow2/writing/open_for_writing.ts";
import { RAW } from "./formats/raw.ts";
import { type OpenImage, openImage } from "./open_image.ts";
import { FILE } from "./protocols/file/driver.ts";
import { parseSource } from "./registry.ts";
import type { DriverServices } from "./services.ts";

/**
 * The path of a qcow2 image's file.
 *
 * @param text The source, as users write it.
 * @param action What is to be done to it, for errors.
 * @throws {UserError} If it is no qcow2 image in a file.
 */
export function qcow2FileOf(text: string, action: string): string {
  const { driver, source } = parseSource(text);
  if (driver === QCOW2) {
    const { file } = source as Qcow2Source;
    const inner = parseSource(String(file));
    if (inner.driver === RAW) return String(inner.source);
  }
  throw new UserError(`Cannot ${action} ${text}: ${whyNot(driver, text)}`);
}

/** Why the tables of an image cannot be changed, and what to do. */
function whyNot({ kind, name }: Driver, text: string): string {
  if (name === RAW.name) {
    return `it is taken for a raw image, which has neither snapshots nor an image below it; if it is a qcow2 image, name it as qcow2:${text}`;
  }
  if (kind === "format" && name !== QCOW2.name) {
    return `it is a ${name} image, which is only read here; make a qcow2 image of it with 'convert ${text} qcow2:PATH'`;
  }
  return "it is not in a file of this machine; name a qcow2 image as qcow2:PATH";
}

/**
 * Changes an image, whose file is locked meanwhile. One that was not closed is
 * repaired first.
 *
 * @param path The path of its file.
 * @param change Gets the file, in which nothing else changes.
 * @throws {UserError} If it is in use, damaged, or cannot be changed.
 */
export async function changeOffline(
  path: string,
  services: DriverServices,
  change: (file: OpenImage) => Promise<void>,
): Promise<void> {
  const options = { ...LOOK_OPTIONS, lock: true, writable: true };
  const file = await openImage(
    { driver: FILE, source: path },
    options,
    services,
  );
  try {
    const { backend, name } = file;
    let header = await readHeader(backend, name);
    refuseWriting(header, name, options);
    if ((header.incompatible & INCOMPATIBLE.DIRTY) !== 0n) {
      header = await repairDirty(backend, name, services.tell);
    }
    await clearFeatures({ name, file, header });
    await change(file);
  } finally {
    await file.close();
  }
}
