import type { ImageAttachment } from "../../backends/attach_image.ts";
import type {
  DriverSource,
  ImageDescription,
  ImageOptions,
} from "../../backends/driver.ts";
import {
  type KnownFormat,
  sourceOf,
} from "../../backends/formats/known_formats.ts";
import { recognise } from "../../backends/formats/recognise.ts";
import { fileSystemAt } from "../../backends/partitions/file_system.ts";
import type {
  Partition,
  PartitionTable,
} from "../../backends/partitions/partition_table.ts";
import { readPartitions } from "../../backends/partitions/read_partitions.ts";
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

/** A partition, and what is in it. */
export interface PartitionFacts extends Partition {
  /** Its file system or container by its magic; `null` if none is known. */
  readonly fileSystem: string | null;
}

/** The partition table of a disk, and what is in its partitions. */
export interface TableFacts extends PartitionTable {
  readonly partitions: readonly PartitionFacts[];
}

/** What is known of a disk once its image is open. */
export interface DiskFacts {
  /** The images of the chain, from the top; or why they cannot be opened. */
  readonly chain: readonly ChainMember[] | string;
  /** Its partition table; `null` if it has none, or why that cannot be read. */
  readonly partitions: TableFacts | string | null;
  /** The file system on the whole disk; `null` if no known one is there. */
  readonly fileSystem: string | null;
  /** The size of the disk in bytes; `null` if it cannot be opened. */
  readonly diskSize: number | null;
}

/** What an image says of itself. */
export interface FormatFacts extends ImageDescription {
  /** The name of the driver that read it. */
  readonly driver: string;
}

/** What `info IMAGE` prints. Sizes in bytes. */
export interface ImageFacts extends Omit<DiskFacts, "diskSize"> {
  /** The source, as the user wrote it. */
  readonly source: string;
  /** What the file looks like; `null` if like nothing that is known. */
  readonly looksLike: KnownFormat | null;
  /** The source that shows the disk in it; `null` if none does. */
  readonly exportAs: string | null;
  /** The size of the disk; of the file if nothing opens its format. */
  readonly size: number;
  /** The size of the file. */
  readonly fileSize: number;
  /** Its space on the medium; `null` if unknown. */
  readonly allocated: number | null;
  /** What the image says of itself; `null` if it says nothing. */
  readonly format: FormatFacts | null;
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
 * @param use Uses the facts, while the image is still open: who opens it once
 * more may use the same connection to its server.
 * @throws {UserError} If it cannot be opened, or makes no sense.
 */
export async function withImageFacts(
  source: string,
  options: ImageOptions,
  insecurePath: boolean,
  use: (facts: ImageFacts) => Promise<void>,
): Promise<void> {
  const given = parseSource(source);
  const path = given.driver.fileOf?.(given.source) ?? source;
  const plain = { ...options, snapshot: null, backing: null };
  const file = await openForInfo(path, plain, insecurePath);
  try {
    const isFile = parseSource(path).driver.name === "raw";
    const { files } = driverServices({ insecurePath });
    const known = isFile ? await recognise(file.backend, path, files) : null;
    const exportAs = path !== source
      ? source
      : known === null
      ? path
      : sourceOf(known, path);
    const format = exportAs === null
      ? null
      : await describe(parseSource(exportAs), file);
    const { diskSize, ...disk } = await diskFacts(
      exportAs ?? path,
      options,
      insecurePath,
    );
    await use({
      source,
      looksLike: known,
      exportAs,
      size: format?.size ?? diskSize ?? file.stat.size,
      fileSize: file.stat.size,
      allocated: file.stat.allocated,
      format,
      ...disk,
    });
  } finally {
    await file.close();
  }
}

async function describe(
  { driver, source }: DriverSource,
  { backend, name }: OpenImage,
): Promise<FormatFacts | null> {
  const said = await driver.describe?.(backend, name, source);
  return said === undefined ? null : { driver: driver.name, ...said };
}

/** Opens an image with its chain, and looks at its disk. */
async function diskFacts(
  source: string,
  options: ImageOptions,
  insecurePath: boolean,
): Promise<DiskFacts> {
  let image: OpenImage;
  try {
    image = await openForInfo(source, options, insecurePath);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return {
      chain: error.message,
      partitions: null,
      fileSystem: null,
      diskSize: null,
    };
  }
  try {
    const { attachment, backend, stat: { size } } = image;
    const all = { image: backend, size };
    return {
      diskSize: size,
      chain: [...membersOf(attachment)],
      partitions: await tableFacts(image),
      fileSystem: await fileSystemAt(all, { offset: 0, size }),
    };
  } finally {
    await image.close();
  }
}

async function tableFacts(
  { backend, name, stat: { size } }: OpenImage,
): Promise<TableFacts | string | null> {
  try {
    const table = await readPartitions(backend, name);
    if (table === null) return null;
    const partitions: PartitionFacts[] = [];
    for (const each of table.partitions) {
      const fileSystem = each.isExtended
        ? null
        : await fileSystemAt({ image: backend, size }, each);
      partitions.push({ ...each, fileSystem });
    }
    return { ...table, partitions };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.message;
  }
}

/** The images of a chain. An image and the file that it is in count as one. */
function* membersOf(
  image: ImageAttachment | null,
): Generator<ChainMember> {
  if (image === null) return;
  const { driver, attachment, below } = image;
  const { name } = (attachment ?? below[0]?.attachment) as { name: string };
  yield { driver, name };
  // The first image below a qcow2 image is the file that it is in.
  if (driver !== "raw") {
    for (const each of below.slice(1)) yield* membersOf(each);
  }
}
