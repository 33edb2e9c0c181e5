import { ERRNO, errnoName } from "../base/errno.ts";
import { UserError } from "../base/user_error.ts";
import { type ImageOptions, LOOK_OPTIONS } from "./driver.ts";
import { openImage } from "./open_image.ts";
import type { DriverServices } from "./services.ts";
import { formatSize } from "./size.ts";

/** How an image is resized. */
export interface Resize {
  /** The new size in bytes. */
  readonly size: number;
  /** Whether it may become smaller, and lose what is cut off. */
  readonly shrink: boolean;
  /** As that of `ImageOptions`. */
  readonly allowReference: ImageOptions["allowReference"];
}

/**
 * Changes the size of a raw or qcow2 image that no program uses, durably; new
 * bytes read as zeroes. It is locked.
 *
 * @param source The image, as users write it.
 * @returns The size that it had.
 * @throws {UserError} If it cannot be done.
 */
export async function resizeImage(
  source: string,
  { size, shrink, allowReference }: Resize,
  services: DriverServices,
): Promise<number> {
  const refuse = (why: string) =>
    new UserError(`Cannot resize ${source} to ${formatSize(size)}: ${why}`);
  const options = {
    ...LOOK_OPTIONS,
    writable: true,
    growable: true,
    lock: true,
    allowReference,
  };
  const image = await openImage(source, options, services);
  try {
    const { backend, stat } = image;
    if (size === 0) throw refuse("a disk has at least one sector");
    if (size < stat.size && !shrink) {
      throw refuse(
        `what follows in its ${
          formatSize(stat.size)
        } would be lost; use --shrink if it is not needed`,
      );
    }
    let result = await backend.truncate(size);
    if (result >= 0) result = await backend.flush();
    if (result < 0) throw refuse(reasonOf(-result));
    return stat.size;
  } finally {
    await image.close();
  }
}

function reasonOf(error: number): string {
  switch (error) {
    case ERRNO.EOPNOTSUPP:
      return "it has snapshots, whose disks would change; delete them first";
    case ERRNO.EFBIG:
      return "it is more than its format or file system can hold; convert it with a larger cluster size";
    default:
      return `its file cannot be changed (${
        errnoName(error)
      }); check its storage and the space on it`;
  }
}
