/**
 * Opening the extents of a disk: the parts that it consists of, with their files
 * and tables.
 *
 * @module
 */
import { ERRNO } from "../../../base/errno.ts";
import { errnoOf } from "../../../base/errno_of.ts";
import type { ImageBelow, OpenContext } from "../../driver.ts";
import {
  READ_ONLY,
  type Reference,
  type ReferenceGate,
  refused,
} from "../../reference_gate.ts";
import { SliceCache } from "../../mapped/slice_cache.ts";
import { LIMIT, SECTOR } from "./constants.ts";
import type { DescribedExtent } from "./descriptor.ts";
import { readDirectory } from "./grain_directory.ts";
import { readSparseHeader } from "./read_sparse.ts";
import { refusal } from "./refusal.ts";
import { directorySize, type SparseHeader } from "./sparse_header.ts";
import type { SharedExtent } from "./vmdk_lookup.ts";

/** Bytes of a grain table that are read and cached at once, at most. */
const SLICE_MAX = 2048;

/** A sparse extent whose tables are to be read. */
export interface SparsePart {
  readonly end: number;
  readonly file: number;
  readonly image: ImageBelow;
  readonly header: SparseHeader;
}

/** The parts of a disk, before tables are read. */
export type Part = SparsePart | Exclude<SharedExtent, { kind: "sparse" }>;

/** What opening extents needs. */
export interface ExtentContext {
  /** The file of the descriptor. */
  readonly by: ImageBelow;
  readonly gate: ReferenceGate;
  readonly context: OpenContext;
  /** Takes the files of extents, in order. */
  readonly files: ImageBelow[];
}

/**
 * Opens the files of the extents of a descriptor.
 *
 * @throws {UserError} If one of them may not or cannot be opened, or is not what
 * the descriptor says.
 */
export async function openExtents(
  described: readonly DescribedExtent[],
  to: ExtentContext,
): Promise<Part[]> {
  const numbers = new Map<string, number>();
  const parts: Part[] = [];
  let end = 0;
  for (const extent of described) {
    end += extent.size;
    parts.push(await openExtent(extent, end, numbers, to));
  }
  if (parts.length > 0) return parts;
  throw refusal(to.by.name, "its descriptor names no extents");
}

async function openExtent(
  extent: DescribedExtent,
  end: number,
  numbers: Map<string, number>,
  to: ExtentContext,
): Promise<Part> {
  const { type, name, size, offset } = extent;
  if (type === "ZERO") return { kind: "zero", end };
  const isFlat = type === "FLAT" || type === "VMFS";
  const isSparse = type === "SPARSE" || type === "VMFSSPARSE";
  if (!isFlat && !isSparse) {
    throw refusal(
      to.by.name,
      `it has an extent of the type ${type}`,
      "convert it with 'qemu-img convert'",
    );
  }
  if (name === null) {
    throw refusal(to.by.name, `an extent of the type ${type} has no file`);
  }
  const reference: Reference = { role: "extent", name, by: to.by };
  const file = numbers.get(name) ?? await openFile(reference, to);
  numbers.set(name, file);
  const image = to.files[file]!;
  if (isFlat) {
    const { size: there } = await image.backend.stat();
    if (there >= offset + size) return { kind: "flat", end, file, offset };
    throw refused(
      reference,
      `it has ${there} bytes, yet the extent ends at ${
        offset + size
      }; copy it once more: its end is missing`,
    );
  }
  const header = await readSparseHeader(image.backend, image.name);
  if (header.size === size) return { end, file, image, header };
  throw refused(
    reference,
    `it has a disk of ${header.size} bytes, not ${size}; it belongs to another image`,
  );
}

/** Opens the file of an extent; returns its number. */
async function openFile(
  reference: Reference,
  { gate, context, files }: ExtentContext,
): Promise<number> {
  const from = gate.sourceOf(reference);
  const opened = await context.openBelow(from, READ_ONLY)
    .catch((error) => {
      if (errnoOf(error) !== ERRNO.ENOENT) throw error;
      throw refused(
        reference,
        `there is no ${from.source}; put all files of the disk into one directory, under the names that the descriptor gives`,
      );
    });
  gate.admit(opened, reference);
  return files.push(opened) - 1;
}

/**
 * Reads the grain directories of sparse extents, and makes caches for their
 * grain tables.
 *
 * @param share Bytes that all of these caches together may take.
 * @param name The image's name in errors.
 * @throws {UserError} If a directory cannot be read, or is too large.
 */
export async function readTables(
  parts: readonly Part[],
  share: number,
  name: string,
): Promise<SharedExtent[]> {
  const sparse = parts.filter((part) => "header" in part);
  const bytes = sparse.reduce(
    (sum, { header }) => sum + directorySize(header),
    0,
  );
  if (bytes > LIMIT.DIRECTORIES) {
    throw refusal(name, `its grain directories have ${bytes} bytes`);
  }
  const entries = new Set(sparse.map(({ header }) => header.tableEntries));
  if (entries.size > 1) {
    throw refusal(name, "its extents have grain tables of different sizes");
  }
  const extents: SharedExtent[] = [];
  for (const part of parts) {
    extents.push(
      "header" in part ? await readSparse(part, share / sparse.length) : part,
    );
  }
  return extents;
}

async function readSparse(
  { end, file, image, header }: SparsePart,
  share: number,
): Promise<SharedExtent> {
  const { grainSize, tableEntries, isCompressed, hasZeroGrains } = header;
  const sliceSize = Math.min(SLICE_MAX, 4 * tableEntries);
  const sliceEntries = sliceSize / 4;
  const sliceSpan = sliceEntries * grainSize;
  const slices = Math.ceil(header.size / sliceSpan);
  const { size } = await image.backend.stat();
  return {
    kind: "sparse",
    end,
    file,
    grains: { grainSize, sliceEntries, isCompressed, hasZeroGrains },
    tables: {
      geometry: {
        sliceSize,
        sliceSpan,
        tableSlices: tableEntries / sliceEntries,
        tableUnit: SECTOR,
      },
      l1: await readDirectory(image.backend, size, header, image.name),
      cache: SliceCache.create(share, slices, sliceEntries),
    },
  };
}
