import { UserError } from "../../../../base/user_error.ts";
import type { Backend } from "../../../backend.ts";
import type { NewImageOptions, RecordedBacking } from "../../../driver.ts";
import { makeFile, mustSucceed, reserve } from "../../../new_file.ts";
import type { FileService } from "../../../services.ts";
import { formatSize } from "../../../size.ts";
import { LIMIT } from "../constants.ts";
import { writeFully } from "../write_fully.ts";
import { newImage } from "./new_image.ts";
import { layOut, type NewImage, type NewLayout } from "./new_layout.ts";

/** The default size of a cluster, as of QEMU: 64 KiB. */
const CLUSTER_SIZE = 65_536;

/** The smallest and the largest cluster. */
const CLUSTER_SIZES = {
  min: 2 ** LIMIT.CLUSTER_BITS_MIN,
  max: 2 ** LIMIT.CLUSTER_BITS_MAX,
} as const;
const EXTENDED_MIN = 2 ** LIMIT.EXTENDED_CLUSTER_BITS_MIN;

/**
 * Makes a qcow2 image, and the file that is to have its data.
 *
 * @param path Where; no file may be there.
 * @throws {UserError} If it cannot be made; nothing is left then.
 */
export async function createQcow2(
  path: string,
  options: NewImageOptions,
  files: FileService,
): Promise<void> {
  const image = describeNew(path, options, files);
  const { preallocation, dataFile, size } = options;
  const make = () =>
    makeFile(path, files, async (file) => {
      const { dataAt, clusters } = await writeNewImage(file, image);
      const [from, to] = [dataAt, clusters].map((at) => at * image.clusterSize);
      await reserve(file, from!, to!, preallocation);
    });
  if (dataFile === null) return await make();
  await makeFile(dataFile, files, async (file) => {
    await mustSucceed(file.truncate(size), dataFile);
    await reserve(file, 0, size, preallocation);
    // Within, so that the data file is removed if the image cannot be made.
    await make();
  });
}

/**
 * Writes the tables of a new image to an empty file. The header is written after
 * everything else is durable.
 *
 * @returns Where its parts are.
 * @throws {UserError} If the image is too large for the format, or the file
 * cannot be written.
 */
export async function writeNewImage(
  file: Backend,
  image: NewImage,
): Promise<NewLayout> {
  const { name } = file;
  const layout = layOut(image, name);
  const { clusters } = layout;
  await mustSucceed(file.truncate(clusters * image.clusterSize), name);
  for (const { at, bytes } of newImage(image, layout, name)) {
    if (at === 0) await mustSucceed(file.flush(), name);
    await mustSucceed(writeFully(file, at, bytes), name);
  }
  return layout;
}

/** An empty overlay: it shows the image below. */
export function overlayOf(size: number, backing: RecordedBacking): NewImage {
  return {
    size,
    clusterSize: CLUSTER_SIZE,
    extendedL2: false,
    preallocated: false,
    backing,
    dataFile: null,
    compression: "deflate",
  };
}

/**
 * What a new image is to be, with the names that it will record.
 *
 * @param path Where it will be.
 * @throws {UserError} If there is no such image.
 */
export function describeNew(
  path: string,
  options: NewImageOptions,
  files: FileService,
): NewImage {
  const { backing, extendedL2, dataFile, preallocation, size } = options;
  const clusterSize = options.clusterSize ?? CLUSTER_SIZE;
  const refuse = (why: string) => {
    throw new UserError(`Cannot create ${path}: ${why}`);
  };
  const { max } = CLUSTER_SIZES;
  const min = extendedL2 ? EXTENDED_MIN : CLUSTER_SIZES.min;
  const isSize = Number.isInteger(Math.log2(clusterSize)) &&
    clusterSize >= min && clusterSize <= max;
  if (!isSize) {
    const of = extendedL2 ? " of an image with extended L2 entries" : "";
    refuse(
      `clusters${of} have a power of two of bytes, from ${formatSize(min)} to ${
        formatSize(max)
      }; choose another cluster size`,
    );
  }
  const preallocated = preallocation !== "off";
  if (preallocated && backing !== null && !extendedL2) {
    refuse(
      "preallocated clusters would hide the image below; leave the preallocation or the backing file out, or use extended L2 entries",
    );
  }
  return {
    size,
    clusterSize,
    extendedL2,
    preallocated,
    backing: backing === null
      ? null
      : { ...backing, name: nameFrom(path, backing.name, files) },
    dataFile: dataFile === null
      ? null
      : nameFrom(path, files.absolutePath(dataFile), files),
    compression: "deflate",
  };
}

/**
 * A file's name as an image is to give it: from the directory of the image if it
 * lies there, so that both can be moved together; else as it is.
 */
export function nameFrom(
  image: string,
  name: string,
  files: FileService,
): string {
  const directory = files.absolutePath(image).replace(/[^/]*$/, "");
  const isBelow = name.startsWith(directory) && name !== directory;
  return isBelow ? name.slice(directory.length) : name;
}
