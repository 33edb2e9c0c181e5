/**
 * VMDK images made here, so that tests need no tool and can make each field
 * wrong.
 *
 * @module
 */
import { deflateSync } from "node:zlib";
import { builtByte } from "../qcow2/_build_image.ts";

const SECTOR = 512;
const KDMV = 0x564d_444b;
const COWD = 0x4457_4f43;
const DESCRIPTOR_SECTORS = 4;

/** What a grain of a built extent is. */
export type GrainKind = "data" | "zero" | "unallocated";

/** What a sparse extent is to be. */
export interface SparsePlan {
  /** Bytes of the extent. */
  readonly size: number;
  /** What its first grains are; the others are unallocated. */
  readonly grains?: readonly GrainKind[];
  /** Bytes of a grain. */
  readonly grainSize?: number;
  /** Entries of a grain table. */
  readonly entries?: number;
  readonly isCompressed?: boolean;
  /** Whether streams have markers before them. */
  readonly hasMarkers?: boolean;
  /** Whether the grain directory is told by a footer. */
  readonly hasFooter?: boolean;
  /** Whether there is a second grain directory, with tables of its own. */
  readonly isRedundant?: boolean;
  /** Whether it is an extent of ESX. */
  readonly isCowd?: boolean;
  /** The descriptor in it; none if left out. */
  readonly descriptor?: string;
  /** Where its first byte is in the disk. */
  readonly start?: number;
}

/** The text of a descriptor. */
export function descriptorText(
  lines: readonly string[],
  createType = "monolithicSparse",
): string {
  return [
    "# Disk DescriptorFile",
    "version=1",
    "CID=12345678",
    ...lines.some((line) => line.startsWith("parentCID="))
      ? []
      : ["parentCID=ffffffff"],
    `createType="${createType}"`,
    ...lines,
    "",
  ].join("\n");
}

/** Places in a built extent, in bytes. */
export interface BuiltPlaces {
  readonly directory: number;
  readonly redundant: number;
  readonly table: number;
  readonly grains: number;
}

/** Where the parts of an extent of one grain table are. */
export function placesOf(plan: SparsePlan): BuiltPlaces {
  const { tables, tableSectors, directorySectors } = sizesOf(plan);
  const all = tables * tableSectors + directorySectors;
  const redundant = 1 + DESCRIPTOR_SECTORS;
  const directory = redundant + (plan.isRedundant ? all : 0);
  const table = directory + directorySectors;
  const grains = directory + all;
  const [r, d, t, g] = [redundant, directory, table, grains];
  return {
    redundant: r * SECTOR,
    directory: d * SECTOR,
    table: t * SECTOR,
    grains: g * SECTOR,
  };
}

function sizesOf(plan: SparsePlan) {
  const { size, grains = ["data"], grainSize = 65_536 } = plan;
  const entries = plan.isCowd ? 4096 : plan.entries ?? 512;
  const directoryEntries = Math.ceil(size / (grainSize * entries));
  return {
    grains,
    grainSize,
    entries,
    directoryEntries,
    directorySectors: Math.ceil(4 * directoryEntries / SECTOR),
    tableSectors: Math.ceil(4 * entries / SECTOR),
    tables: Math.ceil(grains.length / entries),
  };
}

/** Makes a sparse extent: each byte of data is `builtByte()` of its position. */
export function buildSparse(plan: SparsePlan): Uint8Array<ArrayBuffer> {
  const { grains, grainSize, entries, tables } = sizesOf(plan);
  const { tableSectors } = sizesOf(plan);
  const at = placesOf(plan);
  const chunks: Uint8Array[] = [];
  let end = at.grains;
  const words = grains.map((kind, i) => {
    if (kind === "unallocated") return 0;
    if (kind === "zero") return 1;
    const bytes = grainOf(plan, i * grainSize, grainSize);
    const sector = end / SECTOR;
    chunks.push(bytes);
    end += bytes.length;
    return sector;
  });
  const tail = plan.hasFooter ? 4 * SECTOR : 0;
  const image = new Uint8Array(end + tail);
  const view = new DataView(image.buffer);
  const lay = (directory: number, table: number) => {
    for (let i = 0; i < tables; i++) {
      const sector = table / SECTOR + i * tableSectors;
      view.setUint32(directory + 4 * i, sector, true);
    }
    words.forEach((word, i) => {
      const sector = Math.floor(i / entries) * tableSectors;
      const place = table + sector * SECTOR + i % entries * 4;
      view.setUint32(place, word, true);
    });
  };
  lay(at.directory, at.table);
  if (plan.isRedundant) {
    lay(at.redundant, at.redundant + (at.table - at.directory));
  }
  let place = at.grains;
  for (const chunk of chunks) {
    image.set(chunk, place);
    place += chunk.length;
  }
  const text = new TextEncoder().encode(plan.descriptor ?? "");
  image.set(text, SECTOR);
  writeHeader(view, 0, plan, plan.hasFooter ? null : at.directory);
  if (plan.hasFooter) writeFooter(view, end + SECTOR, plan, at.directory);
  return image;
}

/** The bytes of a grain as they are in the file. */
function grainOf(
  { isCompressed, hasMarkers = true, start = 0, size }: SparsePlan,
  position: number,
  grainSize: number,
): Uint8Array {
  const bytes = Uint8Array.from(
    { length: grainSize },
    (_, i) => position + i < size ? builtByte(start + position + i) : 0,
  );
  if (!isCompressed) return bytes;
  const stream = deflateSync(bytes);
  const marker = hasMarkers ? 12 : 0;
  const whole = Math.ceil((marker + stream.length) / SECTOR) * SECTOR;
  const grain = new Uint8Array(whole);
  grain.set(stream, marker);
  if (hasMarkers) {
    const view = new DataView(grain.buffer);
    view.setBigUint64(0, BigInt(position / SECTOR), true);
    view.setUint32(8, stream.length, true);
  }
  return grain;
}

function writeHeader(
  view: DataView,
  at: number,
  plan: SparsePlan,
  directory: number | null,
): void {
  const { grainSize, entries, directoryEntries } = sizesOf(plan);
  const word = (place: number, value: number) =>
    view.setUint32(at + place, value, true);
  const long = (place: number, value: number) =>
    view.setBigUint64(at + place, BigInt(value), true);
  if (plan.isCowd) {
    word(0, COWD);
    word(4, 1);
    word(8, 3);
    word(12, Math.ceil(plan.size / SECTOR));
    word(16, grainSize / SECTOR);
    word(20, directory! / SECTOR);
    word(24, directoryEntries);
    return;
  }
  const { isCompressed = false, hasMarkers = isCompressed } = plan;
  word(0, KDMV);
  word(4, isCompressed ? 3 : 1);
  word(
    8,
    1 | (plan.isRedundant ? 2 : 0) | 4 | (isCompressed ? 1 << 16 : 0) |
      (hasMarkers ? 1 << 17 : 0),
  );
  long(12, Math.ceil(plan.size / SECTOR));
  long(20, grainSize / SECTOR);
  long(28, plan.descriptor === undefined ? 0 : 1);
  long(36, plan.descriptor === undefined ? 0 : DESCRIPTOR_SECTORS);
  word(44, entries);
  long(48, plan.isRedundant ? placesOf(plan).redundant / SECTOR : 0);
  if (directory === null) {
    view.setBigUint64(at + 56, 2n ** 64n - 1n, true);
  } else long(56, directory / SECTOR);
  long(64, placesOf(plan).grains / SECTOR);
  word(73, 0x0a0d_200a);
  view.setUint16(at + 77, isCompressed ? 1 : 0, true);
}

/** The footer's marker, the header once more, and the marker of the end. */
function writeFooter(
  view: DataView,
  at: number,
  plan: SparsePlan,
  directory: number,
): void {
  view.setBigUint64(at, 1n, true);
  view.setUint32(at + 12, 3, true);
  writeHeader(view, at + SECTOR, plan, directory);
}

/** The byte that a built disk has at a position. */
export function wantedByte(
  { grains = ["data"], grainSize = 65_536, start = 0 }: SparsePlan,
  position: number,
): number {
  const kind = grains[Math.floor(position / grainSize)];
  return kind === "data" ? builtByte(start + position) : 0;
}
