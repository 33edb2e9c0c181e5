import type { ImageAttachment } from "../../backends/attach_image.ts";
import type { ImageOptions } from "../../backends/driver.ts";
import {
  type KnownFormat,
  looksLike,
  MAGIC_BYTES,
} from "../../backends/formats/known_formats.ts";
import {
  describeQcow2,
  type Qcow2Facts,
} from "../../backends/formats/qcow2/describe.ts";
import { type OpenImage, openImage } from "../../backends/open_image.ts";
import { parseSource } from "../../backends/registry.ts";
import { UserError } from "../../base/user_error.ts";
import { driverServices } from "../../session/driver_services.ts";

/** An image of a chain. */
export interface ChainMember {
  /** The name of its driver. */
  readonly driver: string;
  /** Its name in messages. */
  readonly name: string;
}

/** What `info IMAGE` prints. Sizes in bytes. */
export interface ImageFacts {
  /** The source, as the user wrote it. */
  readonly source: string;
  /** What its first bytes look like; `null` if like no format. */
  readonly looksLike: KnownFormat | null;
  /** The source that shows the disk in it; `null` if none does. */
  readonly exportAs: string | null;
  /** The size of the disk; of the file if nothing opens its format. */
  readonly size: number;
  /** The size of the file. */
  readonly fileSize: number;
  /** Its space on the medium; `null` if unknown. */
  readonly allocated: number | null;
  /** What a qcow2 image says of itself; `null` for other formats. */
  readonly qcow2: Qcow2Facts | null;
  /** The images of the chain, from the top; or why they cannot be opened. */
  readonly chain: readonly ChainMember[] | string;
}

/** Opens an image for `info`. */
export function openForInfo(
  source: string,
  options: ImageOptions,
  insecurePath: boolean,
): Promise<OpenImage> {
  return openImage(source, options, driverServices({ insecurePath }));
}

/**
 * Finds out what an image is.
 *
 * @param source The source, as the user wrote it.
 * @param options How its chain is opened.
 * @param insecurePath As that of an export.
 * @throws {UserError} If it cannot be opened, or makes no sense.
 */
export async function imageFacts(
  source: string,
  options: ImageOptions,
  insecurePath: boolean,
): Promise<ImageFacts> {
  const path = source.replace(/^qcow2:/, "");
  const plain = { ...options, snapshot: null, backing: null };
  const file = await openForInfo(path, plain, insecurePath);
  try {
    const isFile = parseSource(path).driver.name === "raw";
    const start = new Uint8Array(MAGIC_BYTES);
    const got = isFile ? await file.backend.read(0, start, 0, MAGIC_BYTES) : 0;
    const format = looksLike(start.subarray(0, Math.max(0, got)));
    const isQcow2 = path !== source || format?.name === "qcow2";
    const qcow2 = isQcow2 ? await describeQcow2(file.backend, file.name) : null;
    const exportAs = isQcow2 ? `qcow2:${path}` : format === null ? path : null;
    return {
      source,
      looksLike: format,
      exportAs,
      size: qcow2?.size ?? file.stat.size,
      fileSize: file.stat.size,
      allocated: file.stat.allocated,
      qcow2,
      chain: await chainOf(exportAs ?? path, options, insecurePath),
    };
  } finally {
    await file.close();
  }
}

async function chainOf(
  source: string,
  options: ImageOptions,
  insecurePath: boolean,
): Promise<readonly ChainMember[] | string> {
  try {
    const image = await openForInfo(source, options, insecurePath);
    const chain = [...membersOf(image.attachment)];
    await image.close();
    return chain;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.message;
  }
}

/** The images of a tree of drivers; a file of its own counts as one. */
function* membersOf(
  image: ImageAttachment | null,
): Generator<ChainMember> {
  if (image === null) return;
  const { driver, attachment, below } = image;
  const { name } = (attachment ?? below[0]?.attachment) as { name: string };
  yield { driver, name };
  // The first image below a qcow2 image is its own file.
  if (driver !== "raw") {
    for (const each of below.slice(1)) yield* membersOf(each);
  }
}
