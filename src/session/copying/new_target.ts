/**
 * The file that a conversion makes.
 *
 * @module
 */
import { filesOf } from "../../backends/attach_image.ts";
import type { CreatedFile } from "../../backends/block_file.ts";
import { cannotWrite } from "../../backends/convert/must_write.ts";
import type { PartTarget } from "../../backends/convert/part_target.ts";
import { RAW_UNIT } from "../../backends/convert/raw_writer.ts";
import { LOOK_OPTIONS } from "../../backends/driver.ts";
import { describeNew } from "../../backends/formats/qcow2/creating/create_qcow2.ts";
import { FilledImage } from "../../backends/formats/qcow2/creating/filled_image.ts";
import {
  QCOW2,
  type Qcow2Source,
} from "../../backends/formats/qcow2/driver.ts";
import type { Compression } from "../../backends/formats/qcow2/header.ts";
import { RAW } from "../../backends/formats/raw.ts";
import { type OpenImage, openImage } from "../../backends/open_image.ts";
import { FileBackend } from "../../backends/protocols/file/file_backend.ts";
import { shownSource } from "../../backends/protocols/http/url.ts";
import { recordedBacking } from "../../backends/recorded_backing.ts";
import { parseSource } from "../../backends/registry.ts";
import type { DriverServices } from "../../backends/services.ts";
import { sectorEnd } from "../../backends/size.ts";
import { ERRNO } from "../../base/errno.ts";
import { errnoOf } from "../../base/errno_of.ts";
import { UserError } from "../../base/user_error.ts";

/** What is made of an image. */
export interface TargetRequest {
  /** `PATH` of a raw image, or `qcow2:PATH`. */
  readonly target: string;
  /** Whether a file that is there is replaced. */
  readonly force: boolean;
  /** How clusters are compressed; `null` if they are not. */
  readonly compress: Compression | null;
  /** Bytes of a cluster; the format's default if `null`. */
  readonly clusterSize: number | null;
  /** The image below the new one, as users write it; `null` for none. */
  readonly backing: string | null;
}

/** What is added to the name of a file until it is complete. */
export const PART_SUFFIX = ".part";

/** What a target is, and where. */
interface Place {
  readonly format: "raw" | "qcow2";
  readonly path: string;
}

/**
 * Reads a target.
 *
 * @throws {UserError} If it is none, or not with these options.
 */
export function parseTarget(
  { target, compress, clusterSize, backing }: TargetRequest,
): Place {
  const { driver, source } = parseSource(target);
  if (driver === QCOW2) {
    const { file } = source as Qcow2Source;
    const inner = typeof file === "string" ? parseSource(file) : null;
    if (inner?.driver === RAW) {
      return { format: "qcow2", path: String(inner.source) };
    }
  }
  if (driver !== RAW) {
    throw new UserError(
      `Cannot convert to ${target}: an image can be converted to PATH, which is raw, or to qcow2:PATH`,
    );
  }
  const wrong = ([
    ["compress", compress !== null],
    ["cluster-size", clusterSize !== null],
    ["backing", backing !== null],
  ] as const).find(([, isGiven]) => isGiven);
  if (wrong !== undefined) {
    throw new UserError(
      `Cannot use ${
        wrong[0]
      } with a raw image: convert to qcow2:${target}, or leave it out`,
    );
  }
  return { format: "raw", path: String(source) };
}

/** The images that a conversion reads. */
export interface ReadImages {
  /** What is converted. */
  readonly source: OpenImage;
  /** What the new image shows where it has nothing; `null` for nothing. */
  readonly below: OpenImage | null;
}

/**
 * Makes the file of a target, under the name that it has until it is complete.
 *
 * @throws {UserError} If there is a file already that is not to be replaced, or
 * none can be made.
 */
export async function openTarget(
  request: TargetRequest,
  { source, below }: ReadImages,
  services: DriverServices,
): Promise<NewTarget> {
  const place = parseTarget(request);
  const path = services.files.absolutePath(place.path);
  refuseOwn(path, source, "source", services);
  if (below !== null) refuseOwn(path, below, "backing image", services);
  refuseThere(path, request, services);
  const created = createPart(path, services);
  try {
    const target = new NewTarget(request, { ...place, path }, created, source);
    services.files.lock(created.file, target.partPath, true);
    await target.begin(services);
    return target;
  } catch (error) {
    created.remove();
    created.close();
    throw error;
  }
}

/** A file that is being made. */
export class NewTarget {
  readonly format: Place["format"];
  /** The path that it will have. */
  readonly name: string;
  readonly partPath: string;
  /** A qcow2 image's tables; `null` for a raw one. */
  image: FilledImage | null = null;
  readonly #request: TargetRequest;
  readonly #created: CreatedFile;
  readonly #file: FileBackend;
  readonly #source: OpenImage;

  /** Wraps a file that was just made. */
  constructor(
    request: TargetRequest,
    { format, path }: Place,
    created: CreatedFile,
    source: OpenImage,
  ) {
    this.format = format;
    this.name = path;
    this.partPath = `${path}${PART_SUFFIX}`;
    this.#request = request;
    this.#created = created;
    this.#file = new FileBackend(created.file, this.partPath, true);
    this.#source = source;
  }

  /** Its file, for threads that write to it. */
  get file(): { readonly fd: number; readonly name: string } {
    return { fd: this.#created.file.fd, name: this.partPath };
  }

  /** How threads write to it. */
  get writing(): PartTarget {
    return this.image === null
      ? { kind: "raw" }
      : { kind: "qcow2", writing: this.image.writing };
  }

  /** Bytes that are stored or left out as one. */
  get unit(): number {
    return this.image?.writing.clusterSize ?? RAW_UNIT;
  }

  /** Its space on the medium in bytes. */
  get allocated(): number | null {
    return this.#file.stat().allocated;
  }

  /** Prepares what threads write to. */
  async begin(services: DriverServices): Promise<void> {
    const { size } = this.#source.stat;
    if (this.format === "raw") {
      return await this.#must(this.#file.truncate(size));
    }
    const { clusterSize, compress, backing } = this.#request;
    const recorded = backing === null
      ? null
      : recordedBacking(backing, services);
    if (backing !== null && recorded === null) {
      throw new UserError(
        `Cannot record ${
          shownSource(backing)
        } as the backing image of ${this.name}: only files can be recorded, raw:PATH or qcow2:PATH`,
      );
    }
    const image = describeNew(this.name, {
      // QEMU counts sectors, and would not show the rest of the last one.
      size: sectorEnd(size),
      clusterSize,
      backing: recorded,
      preallocation: "off",
      extendedL2: false,
      dataFile: null,
    }, services.files);
    const compression = compress ?? "deflate";
    this.image = new FilledImage(
      this.#file,
      { ...image, compression },
      compress !== null,
    );
  }

  /** Writes what is left, durably. */
  async finish(): Promise<void> {
    if (this.image !== null) return await this.image.finish();
    await this.#must(this.#file.flush());
  }

  /** Opens it as an image. */
  reopen(services: DriverServices): Promise<OpenImage> {
    const { format, partPath } = this;
    const driver = format === "raw" ? RAW : QCOW2;
    // A path, whatever it begins with.
    const source = format === "raw" ? partPath : { file: `${partPath}` };
    const { backing } = this.#request;
    return openImage(
      { driver, source },
      { ...LOOK_OPTIONS, backing },
      services,
    );
  }

  /** Gives it its name, durably. */
  publish(): void {
    const { force } = this.#request;
    this.#created.rename(this.name, force);
    const error = this.#created.syncName();
    if (error < 0) throw cannotWrite(this.name, -error);
  }

  /** Removes it. */
  remove(): void {
    this.#created.remove();
  }

  /** Closes the file. */
  close(): void {
    this.#created.close();
  }

  async #must(answer: number | PromiseLike<number>): Promise<void> {
    const result = await answer;
    if (result < 0) throw cannotWrite(this.partPath, -result);
  }
}

/**
 * Refuses a file that an image is made of, by any of its names: a new image in
 * place of one below it would show itself.
 */
function refuseOwn(
  path: string,
  { attachment, name }: OpenImage,
  role: string,
  { files }: DriverServices,
): void {
  const identity = identityOf(path, files);
  const isSame = (other: string) =>
    other === path ||
    identity !== null && identity === identityOf(other, files);
  if (![...filesOf(attachment)].some(isSame)) return;
  throw new UserError(
    `Cannot convert to ${path}: that file belongs to the ${role}, ${name}; choose another path`,
  );
}

/** What tells a file from all others; `null` if there is none. */
function identityOf(
  path: string,
  files: DriverServices["files"],
): string | null {
  let file;
  try {
    file = files.open(path, { writable: false });
  } catch {
    return null;
  }
  const stat = file.fstat();
  file.close();
  return typeof stat === "number" ? null : stat.identity ?? null;
}

/** Refuses a file that is there, or is in use. */
function refuseThere(
  path: string,
  { force }: TargetRequest,
  { files }: DriverServices,
): void {
  let file;
  try {
    file = files.open(path, { writable: false });
  } catch (error) {
    if (errnoOf(error) === ERRNO.ENOENT) return;
    throw error;
  }
  try {
    const stat = file.fstat();
    if (typeof stat !== "number" && stat.kind === "block") {
      throw new UserError(
        `Cannot convert to ${path}: it is a block device, and only files are made; convert to a raw file and copy that with 'dd'`,
      );
    }
    if (!force) {
      throw new UserError(
        `Cannot convert to ${path}: a file is there already; use --force to replace it, or choose another path`,
      );
    }
    files.lock(file, path, false);
  } finally {
    file.close();
  }
}

function createPart(path: string, { files }: DriverServices): CreatedFile {
  const part = `${path}${PART_SUFFIX}`;
  try {
    return files.create(part);
  } catch (error) {
    if (errnoOf(error) !== ERRNO.EEXIST) throw error;
    throw new UserError(
      `Cannot convert to ${path}: ${part} is there, which another conversion is writing, or has left because it was killed; remove it if none is running`,
      { cause: error },
    );
  }
}
