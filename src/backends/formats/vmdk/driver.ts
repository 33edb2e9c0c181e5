import { UserError } from "../../../base/user_error.ts";
import { loadDecompression } from "../../compression/decompress.ts";
import type {
  ImageBelow,
  ImageDriver,
  OpenContext,
  Opened,
} from "../../driver.ts";
import {
  openImageFile,
  placeInChain,
  refuseSnapshot,
} from "../../image_chain.ts";
import { DamageSigns } from "../../mapped/damage_signs.ts";
import { StreamBlocks } from "../../mapped/stream_blocks.ts";
import { StreamCache } from "../../mapped/stream_cache.ts";
import type { ReferenceGate } from "../../reference_gate.ts";
import { SECTOR } from "./constants.ts";
import { describeVmdk, vmdkRows } from "./describe.ts";
import type { Descriptor } from "./descriptor.ts";
import { streamAfterMarker } from "./grain_stream.ts";
import { openExtents, type Part, readTables } from "./open_extents.ts";
import { openParent, type VmdkSource } from "./open_parent.ts";
import {
  readDescriptorFile,
  readEmbedded,
  readSparseHeader,
  readStart,
} from "./read_sparse.ts";
import { COMPARE } from "../refusal.ts";
import { refusal } from "./refusal.ts";
import { magicOf, type SparseHeader } from "./sparse_header.ts";
import { VmdkImage } from "./vmdk_image.ts";
import { type SharedExtent, VmdkLookup } from "./vmdk_lookup.ts";

/** An open image, for every thread. Plain data. */
export interface VmdkAttachment {
  readonly name: string;
  /** The size of the disk in bytes. */
  readonly size: number;
  readonly extents: readonly SharedExtent[];
  /** The sizes of the files that extents are in, by their numbers. */
  readonly fileSizes: readonly number[];
  /** Whether the first of them is the file that the user named. */
  readonly isOneFile: boolean;
  /** Bytes of the largest grain. */
  readonly grainSize: number;
  readonly hasMarkers: boolean;
  /** Of `StreamCache.create()`; `null` without compressed grains. */
  readonly blocks: SharedArrayBuffer | null;
  /** Of `DamageSigns.create()`. */
  readonly damage: SharedArrayBuffer;
  /** The size of the parent in bytes; `null` without one. */
  readonly parentSize: number | null;
}

/** Images of VMware's format, which are only read. */
export const VMDK: ImageDriver<VmdkSource, VmdkAttachment> = {
  kind: "format",
  name: "vmdk",
  summary: "a VMDK image, with the files that it refers to",
  usage: "vmdk:PATH",
  prefixes: ["vmdk:"],
  needs: ["image", "shared memory"],
  layered: true,
  parse(file, text) {
    if (file !== "") return { file };
    throw new UserError(`Cannot open "${text}": give a path, as in vmdk:PATH`);
  },
  fileOf: ({ file }) => String(file),
  async describe(file, name) {
    const facts = await describeVmdk(file, name);
    return { size: facts.size, facts: { ...facts }, rows: vmdkRows(facts) };
  },
  open: openVmdk,
  async attach(attachment, below, { tell, queue }) {
    await loadDecompression("a VMDK image");
    const { name, extents, isOneFile, grainSize, hasMarkers } = attachment;
    const { fileSizes, parentSize, blocks } = attachment;
    const [own, ...others] = below;
    const backends = isOneFile ? [own!, ...others] : others;
    const files = fileSizes.map((end, i) => {
      const zeroEnd = Math.ceil(end / SECTOR) * SECTOR;
      const hasHoles = extents.some((extent) =>
        extent.kind === "flat" && extent.file === i
      );
      return { backend: backends[i]!, end, zeroEnd, hasHoles };
    });
    const cache = blocks === null ? null : new StreamCache(blocks, grainSize);
    return new VmdkImage({
      ...attachment,
      own: own!,
      files,
      clusterSize: grainSize,
      sliceSize: sliceSizeOf(extents),
      lookup: new VmdkLookup(extents, queue),
      blocks: new StreamBlocks("zlib", cache, {
        ...hasMarkers ? { find: streamAfterMarker } : {},
        // The last grain of a disk is shorter, where VMware wrote it.
        mayBeShort: true,
      }),
      damage: new DamageSigns(attachment.damage, name, tell, COMPARE),
      backing: parentSize === null
        ? null
        : { backend: backends[files.length]!, size: parentSize },
    });
  },
};

/** What a disk consists of. */
interface Layout {
  readonly parts: readonly Part[];
  readonly files: readonly ImageBelow[];
  readonly isOneFile: boolean;
  /** `null` if an image has none. */
  readonly descriptor: Descriptor | null;
}

/** Opens an image: its file, then the files of its extents, then its parent. */
export async function openVmdk(
  { file: home, link, cid }: VmdkSource,
  context: OpenContext,
): Promise<Opened<VmdkAttachment>> {
  const file = await openImageFile(home, context);
  const { name } = file;
  const place = placeInChain(file, link, context);
  refuseSnapshot("VMDK", name, context);
  const layout = await layoutOf(file, place.gate, context);
  const { parts, files, descriptor, isOneFile } = layout;
  refuseOther(name, descriptor, cid);
  const { cacheSize } = context.options;
  const hasParent = context.options.backing !== null ||
    (descriptor?.parentCid ?? null) !== null;
  const share = hasParent ? cacheSize / 2 : cacheSize;
  const headers = parts.flatMap((part) =>
    "header" in part ? [part.header] : []
  );
  const compressed = compressionOf(headers, name);
  const tableShare = compressed === null ? share : share / 4;
  const extents = await readTables(parts, tableShare, name);
  const grainSize = Math.max(SECTOR, ...headers.map((each) => each.grainSize));
  const size = extents.at(-1)!.end;
  const blocks = compressed === null
    ? null
    : StreamCache.create(share - tableShare, size / grainSize, grainSize);
  const below = { by: file, gate: place.gate, context };
  const cacheLeft = { cacheSize: cacheSize - share };
  const parent = await openParent(descriptor, below, cacheLeft, VMDK);
  const fileSizes = [];
  for (const each of files) {
    fileSizes.push((await each.backend.stat()).size);
  }
  return {
    name,
    attachment: {
      name,
      size,
      extents,
      fileSizes,
      isOneFile,
      grainSize,
      hasMarkers: compressed?.hasMarkers ?? false,
      blocks,
      damage: DamageSigns.create(),
      parentSize: parent === null ? null : (await parent.backend.stat()).size,
    },
  };
}

/** The extents of an image: itself, or those of its descriptor. */
async function layoutOf(
  file: ImageBelow,
  gate: ReferenceGate,
  context: OpenContext,
): Promise<Layout> {
  const { backend, name } = file;
  if (magicOf(await readStart(backend, name)) !== null) {
    const header = await readSparseHeader(backend, name);
    return {
      parts: [{ end: header.size, file: 0, image: file, header }],
      files: [file],
      isOneFile: true,
      descriptor: await readEmbedded(backend, header, name),
    };
  }
  const descriptor = await readDescriptorFile(backend, name);
  const files: ImageBelow[] = [];
  const to = { by: file, gate, context, files };
  const parts = await openExtents(descriptor.extents, to);
  return { parts, files, isOneFile: false, descriptor };
}

/**
 * The header that says how grains are compressed; `null` if none is.
 *
 * @throws {UserError} If extents differ in that.
 */
function compressionOf(
  headers: readonly SparseHeader[],
  name: string,
): SparseHeader | null {
  const compressed = headers.filter((header) => header.isCompressed);
  const [first] = compressed;
  if (compressed.every((each) => each.hasMarkers === first!.hasMarkers)) {
    return first ?? null;
  }
  throw refusal(name, "only some of its extents have markers");
}

/** Bytes of a table that are read at once: as many in every extent. */
function sliceSizeOf(extents: readonly SharedExtent[]): number {
  const sparse = extents.find((extent) => extent.kind === "sparse");
  return sparse?.tables.geometry.sliceSize ?? 0;
}

/** A parent that was changed since does not fit the image above it. */
function refuseOther(
  name: string,
  descriptor: Descriptor | null,
  cid: number | undefined,
): void {
  if (cid === undefined || descriptor?.cid === cid) return;
  const has = descriptor?.cid.toString(16) ?? "no";
  throw refusal(
    name,
    `it was changed since the image above it was made, which wants the CID ${
      cid.toString(16)
    } and finds ${has}`,
    `name the parent with backing=vmdk:${name} if it is the right one`,
  );
}
