/**
 * Images in VMDK, in archives, and compressed, that are damaged.
 *
 * @module
 */
import { damageText } from "./_descriptor_damage.ts";
import type { FuzzCase } from "./_image_cases.ts";
import { buildTar, ovfText } from "../backends/ova/_build_ova.ts";
import { builtByte } from "../backends/qcow2/_build_image.ts";
import {
  buildSparse,
  descriptorText,
  placesOf,
  type SparsePlan,
} from "../backends/vmdk/_build_vmdk.ts";
import { buildZst } from "../backends/zst/_build_zst.ts";

const GRAINS = ["data", "zero", "unallocated", "data", "data"] as const;
const SIZE = 40_448;
const SPARSE: SparsePlan = { size: SIZE, grains: GRAINS, grainSize: 8192 };
const DESCRIPTOR = new TextEncoder().encode(descriptorText([
  'RW 16 FLAT "part1" 8',
  "RW 5 ZERO",
  `RW ${SIZE / 512} SPARSE "part2"`,
]));
const CHILD = descriptorText([
  "parentCID=12345678",
  'parentFileNameHint="low"',
]);
const OVF = ovfText(["d.vmdk"]);
/** Where the image is in the archive. */
const MEMBER = 1536 + Math.ceil(OVF.length / 512) * 512;

function sparse(plan: SparsePlan): FuzzCase {
  const { directory, redundant, table, grains } = placesOf(plan);
  const end = buildSparse(plan).length - 1024;
  const starts = [0, 0, 512, directory, redundant, table, table, grains, end];
  return {
    build: () => buildSparse(plan),
    source: "vmdk:disk",
    places: starts.map((start) => [start, 96] as const),
  };
}

function zst(frames: readonly number[], hasChecksums: boolean): FuzzCase {
  const bytes = Uint8Array.from({ length: SIZE }, (_, i) => builtByte(i));
  const built = buildZst(bytes, { frames, hasChecksums });
  const end = built.length;
  return {
    build: () => built,
    source: "zst:disk",
    places: [[0, 96], [0, end], [end - 60, 60], [end - 100, 80], [end - 9, 9]],
  };
}

/** The images of each kind. */
export const READ_ONLY_CASES = {
  vmdk: [
    sparse({ ...SPARSE, descriptor: descriptorText([]) }),
    sparse({ ...SPARSE, entries: 2, isRedundant: true }),
    sparse({ ...SPARSE, isCompressed: true, hasFooter: true }),
    sparse({ ...SPARSE, isCompressed: true, hasMarkers: false }),
    sparse({ ...SPARSE, isCowd: true }),
    {
      ...sparse({ ...SPARSE, descriptor: CHILD }),
      others: {
        low: buildSparse({ ...SPARSE, descriptor: descriptorText([]) }),
      },
    },
    {
      build: () => DESCRIPTOR.slice(),
      damage: damageText,
      source: "vmdk:disk",
      others: {
        part1: new Uint8Array(24 * 512).fill(7),
        part2: buildSparse(SPARSE),
      },
      places: [],
    },
  ],
  ova: [{
    build: () =>
      buildTar([
        ["v.ovf", OVF],
        ["d.vmdk", buildSparse({ ...SPARSE, isCompressed: true })],
      ]),
    source: "ova:disk",
    places: [[0, 200], [512, 400], [MEMBER - 512, 200], [MEMBER, 200]],
  }],
  zst: [
    zst([4096], false),
    zst([1, 7000, 100_000], true),
    zst([512], false),
  ],
} as const satisfies Record<string, readonly FuzzCase[]>;
