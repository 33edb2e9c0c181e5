import { ERRNO } from "../../base/errno.ts";
import { errnoOf } from "../../base/errno_of.ts";
import { UserError } from "../../base/user_error.ts";
import type {
  DriverSource,
  ImageBelow,
  ImageDriver,
  OpenContext,
  Opened,
  OverlayPlace,
  RecordedBacking,
} from "../driver.ts";
import { FILE } from "../protocols/file/driver.ts";
import { MEMORY } from "../protocols/memory.ts";
import { FileBackend } from "../protocols/file/file_backend.ts";
import type { CreatedFile } from "../block_file.ts";
import {
  nameFrom,
  overlayOf,
  writeNewImage,
} from "./qcow2/creating/create_qcow2.ts";
import { openQcow2, QCOW2, type Qcow2Attachment } from "./qcow2/driver.ts";
import { readHeader } from "./qcow2/read_header.ts";

/** An overlay that is to be opened. */
export interface OverlaySource {
  readonly place: OverlayPlace;
  /** The image below it. */
  readonly below: DriverSource;
  /** How a kept overlay records that image; `null` if that is not possible. */
  readonly recorded: RecordedBacking | null;
}

/** How the file of an overlay is opened, and the image below. */
const FILE_OPTIONS = {
  writable: true,
  growable: false,
  snapshot: null,
  backing: null,
  overlay: null,
} as const;
const BELOW_OPTIONS = {
  writable: false,
  growable: false,
  overlay: null,
} as const;

/**
 * The option `overlay`: a qcow2 image takes what is written, and the image below
 * stays as it is.
 */
export const OVERLAY: ImageDriver<OverlaySource, Qcow2Attachment> = {
  kind: "format",
  name: "overlay",
  summary: "takes the changes to an image",
  usage: null,
  prefixes: [],
  needs: ["image", "shared memory"],
  layered: true,
  async open({ place, below, recorded }, context) {
    const { cacheSize } = context.options;
    const share = cacheSize / 2;
    const base = await context.openBelow(below, {
      ...BELOW_OPTIONS,
      cacheSize: share,
    });
    const { size } = await base.backend.stat();
    const file = place.kind === "memory"
      ? await openMemory(place.limit, size, base, context)
      : await openFile(place, size, recorded ?? unrecorded(base), context);
    const options = {
      ...context.options,
      snapshot: null,
      backing: null,
      cacheSize: share,
    };
    const opened: Opened<Qcow2Attachment> = await openQcow2(
      { file, base },
      { ...context, options },
    );
    // Its name in messages is that of the image below.
    return { ...opened, name: base.name };
  },
  attach: (attachment, [base, ...files], services) =>
    QCOW2.attach(attachment, [...files, base!], services),
};

/** A source without a path: QEMU opens no such name, and shows no zeroes. */
function unrecorded({ name }: ImageBelow): RecordedBacking {
  return { name: `mqfuse:${name}`, format: "raw" };
}

async function openMemory(
  limit: number,
  size: number,
  base: ImageBelow,
  context: OpenContext,
): Promise<ImageBelow> {
  const source = { name: "the overlay in memory", size: 1, limit };
  const file = await context.openBelow({ driver: MEMORY, source }, {
    ...FILE_OPTIONS,
    growable: true,
    direct: false,
  });
  await writeNewImage(file.backend, overlayOf(size, unrecorded(base)));
  return file;
}

async function openFile(
  { path, keep }: OverlayPlace & { kind: "file" },
  size: number,
  backing: RecordedBacking,
  context: OpenContext,
): Promise<ImageBelow> {
  const { services: { files } } = context;
  const name = nameFrom(path, backing.name, files);
  const recorded = { ...backing, name };
  const created = createUnlessKept(path, keep, context);
  if (created !== null) {
    context.defer(() => created.close());
    try {
      const file = new FileBackend(created.file, path, true);
      await writeNewImage(file, overlayOf(size, recorded));
    } catch (error) {
      created.remove();
      throw error;
    }
  }
  try {
    const source = { driver: FILE, source: path };
    const file = await context.openBelow(source, FILE_OPTIONS);
    if (created === null) await refuseOther(file, recorded);
    return file;
  } finally {
    // Without its name, nothing is left of it even if the program is killed.
    if (!keep) created?.remove();
  }
}

/** Makes the file; `null` if it is there, and is to be kept. */
function createUnlessKept(
  path: string,
  keep: boolean,
  { services: { files } }: OpenContext,
): CreatedFile | null {
  try {
    return files.create(path);
  } catch (error) {
    if (errnoOf(error) !== ERRNO.EEXIST) throw error;
    if (keep) return null;
    throw new UserError(
      `Cannot make the overlay ${path}: a file is there already; keep using it with overlay-keep, remove it, or choose another path`,
      { cause: error },
    );
  }
}

/** An overlay of another image would show a mixture of both. */
async function refuseOther(
  { backend, name }: ImageBelow,
  recorded: RecordedBacking,
): Promise<void> {
  const header = await readHeader(backend, name);
  const isSame = header.backingName === recorded.name &&
    header.backingFormat === recorded.format;
  if (isSame) return;
  const of = header.backingName === null
    ? "no image"
    : `${header.backingFormat ?? "?"}:${header.backingName}`;
  throw new UserError(
    `Cannot use ${name} as the overlay: it is an overlay of ${of}, not of ${recorded.format}:${recorded.name}; choose another path`,
  );
}
