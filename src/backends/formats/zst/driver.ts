import { UserError } from "../../../base/user_error.ts";
import { loadDecompression } from "../../compression/decompress.ts";
import { zstdFrame } from "../../compression/zstd_frame.ts";
import type { ImageDriver } from "../../driver.ts";
import { DamageSigns } from "../../mapped/damage_signs.ts";
import { MappedImage } from "../../mapped/mapped_backend.ts";
import type { Mapping } from "../../mapped/mapping.ts";
import { StreamBlocks } from "../../mapped/stream_blocks.ts";
import { StreamCache } from "../../mapped/stream_cache.ts";
import { READ_ONLY } from "../../reference_gate.ts";
import { formatSize } from "../../size.ts";
import { FrameLookup } from "./frame_lookup.ts";
import { COMPARE } from "../refusal.ts";
import { refusal } from "./refusal.ts";
import { readSeekTable, type SeekTable } from "./seek_table.ts";

/** An open file, for every thread. Plain data. */
export interface ZstAttachment {
  readonly name: string;
  readonly table: SeekTable;
  /** The size of the file in bytes. */
  readonly fileSize: number;
  /** Of `StreamCache.create()`; `null` if too few frames fit. */
  readonly blocks: SharedArrayBuffer | null;
  /** Of `DamageSigns.create()`. */
  readonly damage: SharedArrayBuffer;
}

/** The frame of a block, unless it cannot give so many bytes. */
function frameOf(
  bytes: Uint8Array,
  { blockLength }: Mapping,
): Uint8Array | null {
  const frame = zstdFrame(bytes);
  // No memory is taken for what a table claims alone.
  return frame !== null && blockLength <= frame.most
    ? bytes.subarray(0, frame.length)
    : null;
}

/** Raw images that are compressed in the seekable format of zstd. */
export const ZST: ImageDriver<string, ZstAttachment> = {
  kind: "format",
  name: "zst",
  summary: "a raw image that is compressed by zstd, seekable",
  usage: "zst:PATH",
  prefixes: ["zst:"],
  needs: ["image", "shared memory"],
  asStored: true,
  parse(path, text) {
    if (path !== "") return path;
    throw new UserError(`Cannot open "${text}": give a path, as in zst:PATH`);
  },
  fileOf: (path) => path,
  async describe(file, name) {
    const { size, frames, largest } = await readSeekTable(file, name);
    return {
      size,
      facts: { size, frames, largestFrame: largest },
      rows: [["zstd", `${frames} frames of up to ${formatSize(largest)}`]],
    };
  },
  async open(path, context) {
    const file = await context.openBelow(path, READ_ONLY);
    const { name } = file;
    const table = await readSeekTable(file.backend, name);
    const { frames, size, largest } = table;
    if (size === 0) throw refusal(name, "it has no bytes");
    const { cacheSize } = context.options;
    return {
      name,
      attachment: {
        name,
        table,
        fileSize: (await file.backend.stat()).size,
        blocks: StreamCache.create(cacheSize, frames, largest),
        damage: DamageSigns.create(),
      },
    };
  },
  async attach({ name, table, fileSize, blocks, damage }, [file], { tell }) {
    await loadDecompression("an image that is compressed by zstd");
    const { size, largest } = table;
    const cache = blocks === null ? null : new StreamCache(blocks, largest);
    return new MappedImage({
      name,
      size,
      files: [{ backend: file!, end: fileSize, zeroEnd: fileSize }],
      backing: null,
      clusterSize: 4096,
      sliceSize: 0,
      lookup: new FrameLookup(table),
      blocks: new StreamBlocks("zstd", cache, { find: frameOf }),
      damage: new DamageSigns(damage, name, tell, COMPARE),
    });
  },
};
