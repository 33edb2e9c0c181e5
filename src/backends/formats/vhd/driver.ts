import { ERRNO } from "../../../base/errno.ts";
import { UserError } from "../../../base/user_error.ts";
import type { Answer } from "../../backend.ts";
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
import { WindowBackend } from "../../filters/window.ts";
import { DamageSigns } from "../../mapped/damage_signs.ts";
import { MappedImage } from "../../mapped/mapped_backend.ts";
import { NO_BLOCKS } from "../../mapped/no_blocks.ts";
import { BITMAP_SLICE } from "../../mapped/sector_bitmaps.ts";
import type { ReferenceGate } from "../../reference_gate.ts";
import { describeVhd, vhdRows } from "./describe.ts";
import { readDynamicHeader, type VhdHeader } from "./dynamic_header.ts";
import { type FoundFooter, readFooter, VHD_KIND } from "./footer.ts";
import { openParent, type VhdSource } from "./open_parent.ts";
import { readTable } from "./read_table.ts";
import { COMPARE } from "../refusal.ts";
import { refusal } from "./refusal.ts";
import { VhdLookup, type VhdTable } from "./vhd_lookup.ts";

/** An open image, for every thread. Plain data; sizes in bytes. */
export interface VhdAttachment {
  readonly name: string;
  /** The size of the disk. */
  readonly size: number;
  readonly fileSize: number;
  /** `null` if the disk is the start of the file. */
  readonly table: VhdTable | null;
  /** Of `DamageSigns.create()`. */
  readonly damage: SharedArrayBuffer;
  /** The size of the parent; `null` without one. */
  readonly parentSize: number | null;
}

/** Images of Virtual PC and Hyper-V, which are only read. */
export const VHD: ImageDriver<VhdSource, VhdAttachment> = {
  kind: "format",
  name: "vhd",
  summary: "a VHD image, with its parents",
  usage: "vhd:PATH",
  prefixes: ["vhd:"],
  needs: ["image", "shared memory"],
  layered: true,
  parse(file, text) {
    if (file !== "") return { file };
    throw new UserError(`Cannot open "${text}": give a path, as in vhd:PATH`);
  },
  fileOf: ({ file }) => String(file),
  async describe(file, name) {
    const facts = await describeVhd(file, name);
    return { size: facts.size, facts: { ...facts }, rows: vhdRows(facts) };
  },
  open: openVhd,
  attach(attachment, [file, parent], { tell }) {
    const { name, size, fileSize, table, parentSize } = attachment;
    if (table === null) {
      return new FixedBackend(file!, { offset: 0, size });
    }
    return new MappedImage({
      name,
      size,
      clusterSize: table.blockSize,
      sliceSize: BITMAP_SLICE,
      files: [{ backend: file!, end: fileSize, zeroEnd: fileSize }],
      lookup: new VhdLookup(table),
      blocks: NO_BLOCKS,
      damage: new DamageSigns(attachment.damage, name, tell, COMPARE),
      backing: parentSize === null
        ? null
        : { backend: parent!, size: parentSize },
    });
  },
};

/** The start of a file, which is only read. */
class FixedBackend extends WindowBackend {
  override readonly writable = false;

  override write(): Answer {
    return -ERRNO.EROFS;
  }

  override truncate(): Answer {
    return -ERRNO.EROFS;
  }

  override zero(): Answer {
    return -ERRNO.EROFS;
  }

  override allocate(): Answer {
    return -ERRNO.EROFS;
  }

  override setTimes(): Answer {
    return -ERRNO.EROFS;
  }
}

/** Opens an image: its file, then its parent. */
async function openVhd(
  { file: home, link, id }: VhdSource,
  context: OpenContext,
): Promise<Opened<VhdAttachment>> {
  const file = await openImageFile(home, context);
  const { name, backend } = file;
  const place = placeInChain(file, link, context);
  refuseSnapshot("VHD", name, context);
  const found = await readFooter(backend, name);
  const { footer, isCopy } = found;
  if (isCopy) {
    context.services.tell(
      `${name} has no sound footer at its end, so the copy at its start is used: a part of the file may be missing`,
    );
  }
  refuseOther(name, footer.id, id);
  const { size: fileSize } = await backend.stat();
  const parts = footer.kind === VHD_KIND.FIXED
    ? fixedParts(file, found)
    : await tableParts(file, found, place.gate, context);
  return {
    name,
    attachment: {
      name,
      size: footer.size,
      fileSize,
      damage: DamageSigns.create(),
      ...parts,
    },
  };
}

/** What depends on the kind of an image. */
type Parts = Pick<VhdAttachment, "table" | "parentSize">;

function fixedParts({ name }: ImageBelow, { footer, at }: FoundFooter): Parts {
  if (footer.size <= at) return { table: null, parentSize: null };
  const why =
    `its footer says that the disk has ${footer.size} bytes, and ${at} are before it`;
  throw refusal(name, why);
}

async function tableParts(
  file: ImageBelow,
  { footer }: FoundFooter,
  gate: ReferenceGate,
  context: OpenContext,
): Promise<Parts> {
  const { backend, name } = file;
  const { kind, size, headerOffset } = footer;
  const header = await readDynamicHeader(backend, headerOffset, name);
  const entries = await readTable(backend, header, size, name);
  const parent = await parentOf(kind, file, header, { gate, context });
  const hasParent = parent !== null;
  return {
    table: { entries, blockSize: header.blockSize, hasParent },
    parentSize: hasParent ? (await parent.backend.stat()).size : null,
  };
}

async function parentOf(
  kind: number,
  file: ImageBelow,
  header: VhdHeader,
  chain: { readonly gate: ReferenceGate; readonly context: OpenContext },
): Promise<ImageBelow | null> {
  if (kind === VHD_KIND.DIFFERENCING) {
    return await openParent(file, header, chain, VHD);
  }
  if (chain.context.options.backing === null) return null;
  throw refusal(file.name, "it has no parent", "leave backing out");
}

/** Another image than the parent would show a mixture of both. */
function refuseOther(name: string, has: string, id: string | undefined): void {
  if (id === undefined || id === has) return;
  throw refusal(
    name,
    `it has the id ${has}, and the image above it wants the parent ${id}`,
    `name the parent with backing=vhd:${name} if it is the right one`,
  );
}
