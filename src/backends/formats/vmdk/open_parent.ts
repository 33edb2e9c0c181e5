import type {
  ImageBelow,
  ImageDriver,
  ImageOptions,
  OpenContext,
} from "../../driver.ts";
import { type ImageHome, openGivenBacking } from "../../image_chain.ts";
import {
  type ChainLink,
  READ_ONLY,
  type ReferenceGate,
} from "../../reference_gate.ts";
import type { Descriptor } from "./descriptor.ts";

/** A VMDK image that is to be opened. */
export interface VmdkSource {
  /** What it is in; open already in an archive. */
  readonly file: ImageHome;
  /** Its place in a chain; none if the user named it. */
  readonly link?: ChainLink;
  /** The CID that it has to have, because it is the parent of another image. */
  readonly cid?: number;
}

/** The image whose parent is opened. */
export interface Child {
  /** Its file. */
  readonly by: ImageBelow;
  readonly gate: ReferenceGate;
  readonly context: OpenContext;
}

/**
 * Opens the parent of an image, which has what the image does not have itself.
 *
 * @param descriptor The image's descriptor.
 * @param child The image.
 * @param changes Options that differ from those of the image.
 * @param driver Opens images of this format.
 * @returns `null` if it has none.
 * @throws {UserError} If it may not or cannot be opened, or is another image.
 */
export async function openParent(
  descriptor: Descriptor | null,
  { by, gate, context }: Child,
  changes: Partial<ImageOptions>,
  driver: ImageDriver<VmdkSource>,
): Promise<ImageBelow | null> {
  const options = { ...READ_ONLY, ...changes };
  const { backing } = context.options;
  if (backing !== null) {
    return await openGivenBacking(backing, context, options);
  }
  if (descriptor === null || descriptor.parentCid === null) return null;
  const { parentName: name, parentCid: cid } = descriptor;
  const source = { ...gate.parentOf(name ?? "", by, "vmdk"), cid };
  return await context.openBelow({ driver, source }, options);
}
