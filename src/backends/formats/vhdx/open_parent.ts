import type { ImageBelow, ImageDriver, OpenContext } from "../../driver.ts";
import { type ImageHome, openGivenBacking } from "../../image_chain.ts";
import {
  type ChainLink,
  READ_ONLY,
  type ReferenceGate,
} from "../../reference_gate.ts";
import { parentLink } from "./parent_locator.ts";

/** A VHDX image that is to be opened. */
export interface VhdxSource {
  /** What it is in. */
  readonly file: ImageHome;
  /** Its place in a chain; none if the user named it. */
  readonly link?: ChainLink;
  /** The ids that its data may have, because it is the parent of another image. */
  readonly dataWriteIds?: readonly string[];
}

/**
 * Opens the parent of an image, which has what the image does not have itself.
 *
 * @param by The image's file.
 * @param texts What its locator says.
 * @param chain The chain that it is in.
 * @param driver Opens images of this format.
 * @throws {UserError} If it may not or cannot be opened, or is another image.
 */
export async function openParent(
  by: ImageBelow,
  texts: ReadonlyMap<string, string>,
  { gate, context }: {
    readonly gate: ReferenceGate;
    readonly context: OpenContext;
  },
  driver: ImageDriver<VhdxSource>,
): Promise<ImageBelow> {
  const { backing } = context.options;
  if (backing !== null) {
    return await openGivenBacking(backing, context);
  }
  const { name, dataWriteIds } = parentLink(texts);
  const source = { ...gate.parentOf(name, by, "vhdx"), dataWriteIds };
  return await context.openBelow({ driver, source }, READ_ONLY);
}
