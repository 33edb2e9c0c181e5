/**
 * The other files of an image: the one below it, and the one with its data.
 *
 * @module
 */
import type { DriverSource, ImageBelow, OpenContext } from "../../driver.ts";
import { rawPathOf } from "../../image_chain.ts";
import {
  type ChainLink,
  READ_ONLY,
  type Reference,
  type ReferenceGate,
  refused,
} from "../../reference_gate.ts";
import type { Qcow2Header } from "./header.ts";

/** Opens the image below. */
export interface BackingOpeners {
  /** A file, by its path. */
  raw(path: string): Promise<ImageBelow>;
  /** A qcow2 image of the same chain. */
  qcow2(file: DriverSource, link: ChainLink): Promise<ImageBelow>;
  /** A source as users write it, or as a chain leads to it. */
  any(source: string | DriverSource): Promise<ImageBelow>;
}

/**
 * Opens the backing file of an image; `null` if it has none.
 *
 * @param header The image's header.
 * @param by The image's file.
 * @param gate Admits what the header names.
 * @param open Opens it.
 * @param given What the user names in its place; `null` if nothing.
 * @throws {UserError} If it may not or cannot be opened.
 */
export async function openBacking(
  { backingName: name, backingFormat: format }: Qcow2Header,
  by: ImageBelow,
  gate: ReferenceGate,
  open: BackingOpeners,
  given: string | null,
): Promise<ImageBelow | null> {
  if (given !== null) {
    const raw = rawPathOf(given);
    return await (raw === null ? open.any(given) : open.raw(raw));
  }
  if (name === null) return null;
  const reference: Reference = { role: "backing file", name, by };
  if (format === null) throw formatUnknown(reference);
  if (format !== "raw" && format !== "qcow2") {
    const what = JSON.stringify(format);
    throw refused(
      reference,
      `its format is ${what}, yet only raw and qcow2 can be below an image; convert it with 'qemu-img convert'`,
    );
  }
  const source = gate.sourceOf(reference);
  if (format === "qcow2") return await open.qcow2(source, { gate, reference });
  const file = await open.any(source);
  gate.admit(file, reference);
  return file;
}

/**
 * Opens the file with the data of an image; `null` if the image has them itself.
 *
 * @throws {UserError} If it may not or cannot be opened.
 */
export async function openDataFile(
  { hasDataFile, dataFileName: name }: Qcow2Header,
  by: ImageBelow,
  { gate }: ChainLink,
  context: OpenContext,
): Promise<ImageBelow | null> {
  if (!hasDataFile) return null;
  const reference: Reference = { role: "data file", name: name ?? "", by };
  if (name === null) {
    throw refused(
      reference,
      "the image does not name it; record it with 'qemu-img amend -o data_file=PATH'",
    );
  }
  const source = gate.sourceOf(reference);
  const { writable } = context.options;
  const file = await context.openBelow(source, { ...READ_ONLY, writable });
  gate.admit(file, reference);
  return file;
}

function formatUnknown(reference: Reference): Error {
  const { name, by } = reference;
  return refused(
    reference,
    `its format is not recorded, and formats are never guessed; give it with backing=FORMAT:${name}, or record it with 'qemu-img rebase -u -b ${name} -F FORMAT ${by.name}'`,
  );
}
