/** L2 entries, against a decoder that follows the specification word by word. */
import { assert, assertEquals } from "@std/assert";
import type { Geometry } from "../../../src/backends/formats/qcow2/geometry.ts";
import { L2Entries } from "../../../src/backends/formats/qcow2/l2_entries.ts";
import { MAPPED, Mapping } from "../../../src/backends/mapped/mapping.ts";
import { type Random, randomly } from "../../_random.ts";

const ENTRIES = 8;

function geometry(
  clusterBits: number,
  { version = 3, extended = false, hasDataFile = false }: {
    version?: 2 | 3;
    extended?: boolean;
    hasDataFile?: boolean;
  },
): Geometry {
  const clusterSize = 2 ** clusterBits;
  const entryWords = extended ? 4 : 2;
  return {
    version,
    clusterBits,
    clusterSize,
    entryWords,
    subclusterSize: extended ? clusterSize / 32 : clusterSize,
    sliceSize: ENTRIES * entryWords * 4,
    sliceEntries: ENTRIES,
    sliceSpan: ENTRIES * clusterSize,
    tableSlices: 1,
    tableUnit: clusterSize,
    hasDataFile,
  };
}

/** What one byte of the disk is: its kind and its place, `null` if none. */
interface Place {
  readonly kind: number;
  readonly host: bigint | null;
}

/** The specification's words, one byte at a time. */
function placeOf(
  entry: bigint,
  bitmap: bigint | null,
  { version, clusterBits, hasDataFile }: Geometry,
  position: number,
): Place {
  const corrupt = { kind: MAPPED.CORRUPT, host: null };
  const clusterSize = 1n << BigInt(clusterBits);
  const inCluster = BigInt(position) % clusterSize;
  if ((entry >> 62n & 1n) === 1n) {
    const x = BigInt(62 - (clusterBits - 8));
    const host = entry & (1n << x) - 1n;
    if (hasDataFile || host > 2n ** 53n - 1n - 2n * clusterSize) return corrupt;
    return { kind: MAPPED.COMPRESSED, host };
  }
  const offset = entry & 0x00ff_ffff_ffff_fe00n;
  const hasZeroBit = version === 3 && bitmap === null;
  const isZero = hasZeroBit && (entry & 1n) === 1n;
  const reserved = 0x3f00_0000_0000_01fen | (hasZeroBit ? 0n : 1n);
  if ((entry & reserved) !== 0n) return corrupt;
  const isCopied = entry >> 63n === 1n;
  const hasPlace = offset !== 0n || (hasDataFile && isCopied && !isZero);
  const guest = BigInt(position) - inCluster;
  if (hasPlace) {
    if (hasDataFile ? offset !== guest : offset % clusterSize !== 0n) {
      return corrupt;
    }
    if (offset + clusterSize > 2n ** 53n - 1n) return corrupt;
  }
  const host = hasPlace ? offset + inCluster : null;
  if (bitmap === null) {
    if (isZero) return { kind: MAPPED.ZERO, host };
    return { kind: hasPlace ? MAPPED.DATA : MAPPED.UNALLOCATED, host };
  }
  const allocated = bitmap & 0xffff_ffffn;
  const zero = bitmap >> 32n;
  if ((allocated & zero) !== 0n) return corrupt;
  if (allocated !== 0n && !hasPlace) return corrupt;
  const bit = inCluster / (clusterSize / 32n);
  if ((zero >> bit & 1n) === 1n) return { kind: MAPPED.ZERO, host };
  const isData = (allocated >> bit & 1n) === 1n;
  return { kind: isData ? MAPPED.DATA : MAPPED.UNALLOCATED, host };
}

/** An entry that makes sense more often than random bits would. */
function drawEntry(random: Random, { clusterBits }: Geometry, i: number) {
  const near = BigInt(i) << BigInt(clusterBits);
  const word = () => BigInt(random.below(2 ** 32));
  switch (random.below(7)) {
    case 0:
      return 0n;
    case 1:
      return 1n << 63n | near;
    case 2:
      return near + (5n << BigInt(clusterBits)) | BigInt(random.below(2));
    case 3:
      return 1n << 62n | word() << 32n | word();
    case 4:
      return 1n;
    case 5:
      return 1n << 63n;
    default:
      return word() << 32n | word();
  }
}

function drawBitmap(random: Random): bigint {
  const bits = () =>
    BigInt(random.pick([0, 2 ** 32 - 1, 0xff, random.below(2 ** 32)]));
  const allocated = bits();
  const zero = random.oneIn(8) ? bits() : bits() & ~allocated;
  return (zero & 0xffff_ffffn) << 32n | allocated;
}

function checkMappings(random: Random, shape: Geometry): void {
  const { entryWords, clusterSize, clusterBits, sliceSpan } = shape;
  const extended = entryWords === 4;
  const entries = Array.from({ length: ENTRIES }, (_, i) => ({
    entry: drawEntry(random, shape, i),
    bitmap: extended ? drawBitmap(random) : null,
  }));
  const words = new Int32Array(3 + ENTRIES * entryWords);
  entries.forEach(({ entry, bitmap }, i) => {
    const all = bitmap === null ? [entry] : [entry, bitmap];
    all.forEach((value, j) => {
      const at = 3 + i * entryWords + 2 * j;
      words[at] = Number(BigInt.asIntN(32, value >> 32n));
      words[at + 1] = Number(BigInt.asIntN(32, value));
    });
  });
  const decoder = new L2Entries(shape);
  const mapping = new Mapping();
  const placeAt = (position: number) => {
    const { entry, bitmap } = entries[Math.floor(position / clusterSize)]!;
    return placeOf(entry, bitmap, shape, position);
  };
  for (let position = 0; position < sliceSpan;) {
    const length = 1 + random.below(Math.min(sliceSpan - position, 2 ** 30));
    decoder.map(words, 3, position, position, length, mapping);
    assert(mapping.length >= 1 && mapping.length <= length);
    const edges = [position, position + mapping.length - 1];
    const inside = position + random.below(mapping.length);
    for (const at of [...edges, inside]) {
      const wanted = placeAt(at);
      assertEquals(mapping.kind, wanted.kind, `${clusterBits} at ${at}`);
      if (wanted.host === null || wanted.kind === MAPPED.COMPRESSED) continue;
      assertEquals(mapping.host + at - position, Number(wanted.host));
    }
    const { kind, host } = placeAt(position);
    if (kind === MAPPED.COMPRESSED) {
      const { entry } = entries[Math.floor(position / clusterSize)]!;
      const sectors = (entry & (1n << 62n) - 1n) >>
        BigInt(62 - (clusterBits - 8));
      const streamEnd = (host! & ~511n) + (sectors + 1n) * 512n;
      assertEquals(mapping.host, Number(host));
      assertEquals(mapping.streamLength, Number(streamEnd - host!));
    }
    position += mapping.length;
  }
}

for (const version of [2, 3] as const) {
  Deno.test(`standard entries of version ${version} are read`, () =>
    randomly(40, (random) => {
      for (const clusterBits of [9, 12, 16, 21]) {
        checkMappings(random, geometry(clusterBits, { version }));
      }
    }));
}

Deno.test("extended entries are read", () =>
  randomly(60, (random) => {
    for (const clusterBits of [14, 16, 21]) {
      checkMappings(random, geometry(clusterBits, { extended: true }));
    }
  }));

Deno.test("entries with a data file are read", () =>
  randomly(40, (random) => {
    for (const extended of [false, true]) {
      checkMappings(random, geometry(16, { extended, hasDataFile: true }));
    }
  }));

Deno.test("neighbouring clusters are one mapping", () => {
  const shape = geometry(16, {});
  const words = new Int32Array(2 * ENTRIES);
  for (let i = 0; i < 5; i++) words[2 * i + 1] = (i + 4) << 16;
  const mapping = new Mapping();
  new L2Entries(shape).map(words, 0, 100, 100, 2 ** 20, mapping);
  assertEquals([mapping.kind, mapping.host, mapping.length], [
    MAPPED.DATA,
    (4 << 16) + 100,
    (5 << 16) - 100,
  ]);
});
