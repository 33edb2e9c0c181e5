import type { ImageBelow, ImageDriver, OpenContext } from "../../driver.ts";
import { type ImageHome, openGivenBacking } from "../../image_chain.ts";
import {
  type ChainLink,
  READ_ONLY,
  type ReferenceGate,
} from "../../reference_gate.ts";
import { parentNameOf, type VhdHeader } from "./dynamic_header.ts";

/** A VHD image that is to be opened. */
export interface VhdSource {
  /** What it is in. */
  readonly file: ImageHome;
  /** Its place in a chain; none if the user named it. */
  readonly link?: ChainLink;
  /** The id that it has to have, because it is the parent of another image. */
  readonly id?: string;
}

/**
 * Opens the parent of an image, which has what the image does not have itself.
 *
 * @param by The image's file.
 * @param header Its header.
 * @param chain The chain that it is in.
 * @param driver Opens images of this format.
 * @throws {UserError} If it may not or cannot be opened, or is another image.
 */
export async function openParent(
  by: ImageBelow,
  header: VhdHeader,
  { gate, context }: {
    readonly gate: ReferenceGate;
    readonly context: OpenContext;
  },
  driver: ImageDriver<VhdSource>,
): Promise<ImageBelow> {
  const { backing } = context.options;
  if (backing !== null) {
    return await openGivenBacking(backing, context);
  }
  const name = await parentNameOf(by.backend, header);
  const source = { ...gate.parentOf(name, by, "vhd"), id: header.parentId };
  return await context.openBelow({ driver, source }, READ_ONLY);
}
