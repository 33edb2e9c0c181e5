/**
 * How images open what they consist of: their own file, and the image below them
 * that the user names.
 *
 * @module
 */
import { UserError } from "../base/user_error.ts";
import type {
  DriverSource,
  ImageBelow,
  ImageOptions,
  OpenContext,
} from "./driver.ts";
import { FILE } from "./protocols/file/driver.ts";
import { type ChainLink, READ_ONLY, ReferenceGate } from "./reference_gate.ts";

/**
 * The path of a raw image that is named as an image below another one; `null` if
 * the source is of another kind. Only there "raw:" says that nothing is guessed.
 */
export function rawPathOf(source: string): string | null {
  return /^raw:(.+)$/s.exec(source)?.[1] ?? null;
}

/**
 * What an image is in: as users write it, where another image leads to, or open
 * already.
 */
export type ImageHome = string | DriverSource | ImageBelow;

/**
 * Opens the file that an image is in, unless it is open.
 *
 * @param options Options that differ from those of the image.
 */
export async function openImageFile(
  home: ImageHome,
  context: OpenContext,
  options: Partial<ImageOptions> = READ_ONLY,
): Promise<ImageBelow> {
  const isOpen = typeof home !== "string" && "backend" in home;
  return isOpen ? home : await context.openBelow(home, options);
}

/**
 * Takes an open file into its chain, which starts with it if the user named it.
 *
 * @throws {UserError} If the chain may not lead to it.
 */
export function placeInChain(
  file: ImageBelow,
  link: ChainLink | undefined,
  context: OpenContext,
): ChainLink {
  if (link === undefined) {
    return { gate: new ReferenceGate(file, context), reference: null };
  }
  if (link.reference !== null) link.gate.admit(file, link.reference);
  return link;
}

/**
 * Opens the image that the user names in place of the one that an image gives.
 *
 * @param options Options that differ from those of the image.
 */
export function openGivenBacking(
  backing: string,
  context: OpenContext,
  options: Partial<ImageOptions> = READ_ONLY,
): Promise<ImageBelow> {
  const raw = rawPathOf(backing);
  const source = raw === null ? backing : { driver: FILE, source: raw };
  return context.openBelow(source, options);
}

/**
 * Refuses the option `snapshot` for a format that has none.
 *
 * @param format The name of the format in messages.
 */
export function refuseSnapshot(
  format: string,
  name: string,
  { options: { snapshot } }: OpenContext,
): void {
  if (snapshot === null) return;
  const wanted = JSON.stringify(snapshot);
  throw new UserError(
    `Cannot open snapshot ${wanted} of ${name}: a ${format} image has no snapshots in it; export the image that belongs to the snapshot`,
  );
}
