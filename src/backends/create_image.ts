/**
 * Making an image.
 *
 * @module
 */
import { UserError } from "../base/user_error.ts";
import type {
  ImageDriver,
  ImageOptions,
  NewImageOptions,
  RecordedBacking,
} from "./driver.ts";
import { rawPathOf } from "./image_chain.ts";
import { shownSource } from "./protocols/http/url.ts";
import { recordedBacking } from "./recorded_backing.ts";
import { openImage } from "./open_image.ts";
import { IMAGE_DRIVERS, parseSource } from "./registry.ts";
import type { DriverServices } from "./services.ts";
import { SIZE_MAX } from "./size.ts";

/** What a new image is to be, as users say it. */
export interface CreateRequest
  extends Omit<NewImageOptions, "size" | "backing"> {
  /** The size of the disk in bytes; `null` for that of the image below. */
  readonly size: number | null;
  /** The source of the image below; `null` for none. */
  readonly backing: string | null;
}

/** What was made. */
export interface CreatedImage {
  /** The name of the format. */
  readonly format: string;
  /** The size of the disk in bytes. */
  readonly size: number;
}

/**
 * Makes an image.
 *
 * @param target Its source: where it is to be, with the prefix of its format.
 * @param request What it is to be.
 * @param reading How the image below is opened, to learn its size.
 * @param services The services of this thread.
 * @throws {UserError} If it cannot be made; nothing is left then.
 */
export async function createImage(
  target: string,
  request: CreateRequest,
  reading: ImageOptions,
  services: DriverServices,
): Promise<CreatedImage> {
  const { driver, source } = parseSource(target);
  if (driver.create === undefined) throw cannotCreate(target);
  const { backing } = request;
  const below = backing === null
    ? null
    : await lookBelow(backing, reading, services);
  const size = request.size ?? below?.size ?? null;
  if (size === null) {
    throw new UserError(
      `Cannot create ${target} without a size: give one, such as 10G, or a backing image`,
    );
  }
  if (size > SIZE_MAX) {
    throw new UserError(
      `Cannot create ${target}: its size is beyond 2^53 - 1 bytes (8 PiB)`,
    );
  }
  const recorded = below?.recorded ?? null;
  const options = { ...request, size, backing: recorded };
  await driver.create(source, options, services.files);
  return { format: driver.name, size };
}

/** The image below: how it is recorded, and how large it is. */
async function lookBelow(
  source: string,
  reading: ImageOptions,
  services: DriverServices,
): Promise<{ readonly recorded: RecordedBacking; readonly size: number }> {
  // A new image records the format, because formats are never guessed.
  const raw = rawPathOf(source);
  const image = await openImage(raw ?? source, reading, services);
  try {
    const recorded = recordedBacking(source, services);
    if (recorded === null) {
      throw new UserError(
        `Cannot record ${
          shownSource(source)
        } as a backing image: only files can be recorded, raw:PATH or qcow2:PATH`,
      );
    }
    return { recorded, size: image.stat.size };
  } finally {
    await image.close();
  }
}

function cannotCreate(target: string): UserError {
  const able = IMAGE_DRIVERS.filter((driver) => driver.create !== undefined)
    .map(({ usage }: ImageDriver) => usage);
  return new UserError(
    `Cannot create ${target}: images can be made as ${able.join(" or ")}`,
  );
}
