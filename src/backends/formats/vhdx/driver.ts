import { UserError } from "../../../base/user_error.ts";
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
import { MappedImage } from "../../mapped/mapped_backend.ts";
import { NO_BLOCKS } from "../../mapped/no_blocks.ts";
import { BITMAP_SLICE } from "../../mapped/sector_bitmaps.ts";
import type { ReferenceGate } from "../../reference_gate.ts";
import { describeVhdx, vhdxRows } from "./describe.ts";
import type { VhdxMetadata } from "./metadata.ts";
import { openParent, type VhdxSource } from "./open_parent.ts";
import { PatchedFile } from "./patched_file.ts";
import type { FilePatches } from "./patches.ts";
import { readBat, type VhdxTable } from "./read_bat.ts";
import { readVhdx } from "./read_vhdx.ts";
import { COMPARE } from "../refusal.ts";
import { refusal } from "./refusal.ts";
import { VhdxLookup } from "./vhdx_lookup.ts";

/** An open image, for every thread. Plain data; sizes in bytes. */
export interface VhdxAttachment {
  readonly name: string;
  /** The size of the disk. */
  readonly size: number;
  /** The size of the file itself, and of the file after its log. */
  readonly ownSize: number;
  readonly fileSize: number;
  /** What the log changes; `null` if it is empty. */
  readonly patches: FilePatches | null;
  readonly table: VhdxTable;
  /** Of `DamageSigns.create()`. */
  readonly damage: SharedArrayBuffer;
  /** The size of the parent; `null` without one. */
  readonly parentSize: number | null;
}

/** Images of Hyper-V, which are only read. */
export const VHDX: ImageDriver<VhdxSource, VhdxAttachment> = {
  kind: "format",
  name: "vhdx",
  summary: "a VHDX image, with its parents and its log",
  usage: "vhdx:PATH",
  prefixes: ["vhdx:"],
  needs: ["image", "shared memory"],
  layered: true,
  parse(file, text) {
    if (file !== "") return { file };
    throw new UserError(`Cannot open "${text}": give a path, as in vhdx:PATH`);
  },
  fileOf: ({ file }) => String(file),
  async describe(file, name) {
    const facts = await describeVhdx(file, name);
    return { size: facts.size, facts: { ...facts }, rows: vhdxRows(facts) };
  },
  open: openVhdx,
  attach(attachment, [file, parent], { tell }) {
    const { name, size, ownSize, fileSize, patches, table } = attachment;
    const { parentSize } = attachment;
    const backend = patches === null
      ? file!
      : new PatchedFile(file!, ownSize, patches);
    return new MappedImage({
      name,
      size,
      clusterSize: table.blockSize,
      sliceSize: BITMAP_SLICE,
      files: [{ backend, end: fileSize, zeroEnd: fileSize }],
      lookup: new VhdxLookup(table),
      blocks: NO_BLOCKS,
      damage: new DamageSigns(attachment.damage, name, tell, COMPARE),
      backing: parentSize === null
        ? null
        : { backend: parent!, size: parentSize },
    });
  },
};

/** Opens an image: its file, then its parent. */
async function openVhdx(
  { file: home, link, dataWriteIds }: VhdxSource,
  context: OpenContext,
): Promise<Opened<VhdxAttachment>> {
  const file = await openImageFile(home, context);
  const { name, backend } = file;
  const place = placeInChain(file, link, context);
  refuseSnapshot("VHDX", name, context);
  const image = await readVhdx(backend, name);
  const { header, patches, fileSize, regions, metadata } = image;
  refuseOther(name, header.dataWriteId, dataWriteIds);
  if (patches !== null) {
    context.services.tell(
      `${name} was not closed: what its log changes is kept in memory, and the file stays as it is`,
    );
  }
  const table = await readBat(image.file, regions.bat, metadata, name);
  const parent = await parentOf(file, metadata, place.gate, context);
  return {
    name,
    attachment: {
      name,
      size: metadata.size,
      ownSize: (await backend.stat()).size,
      fileSize,
      patches,
      table,
      damage: DamageSigns.create(),
      parentSize: parent === null ? null : (await parent.backend.stat()).size,
    },
  };
}

async function parentOf(
  file: ImageBelow,
  { parent }: VhdxMetadata,
  gate: ReferenceGate,
  context: OpenContext,
): Promise<ImageBelow | null> {
  if (parent !== null) {
    return await openParent(file, parent, { gate, context }, VHDX);
  }
  if (context.options.backing === null) return null;
  throw refusal(file.name, "it has no parent", "leave backing out");
}

/** A parent that was changed since does not fit the image above it. */
function refuseOther(
  name: string,
  has: string,
  ids: readonly string[] | undefined,
): void {
  if (ids === undefined || ids.includes(has)) return;
  throw refusal(
    name,
    `it was changed since the image above it was made, which wants the data ${
      ids.join(" or ")
    } and finds ${has}`,
    `name the parent with backing=vhdx:${name} if it is the right one`,
  );
}
