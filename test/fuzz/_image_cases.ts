/**
 * Images that are damaged, by their kinds.
 *
 * @module
 */
import type { ImageOptions } from "../../src/backends/driver.ts";
import type { Random } from "../_random.ts";
import {
  buildGpt,
  buildMbr,
  sealGpt,
} from "../backends/partitions/_build_table.ts";
import { buildVhd, sealVhd, VHD_AT } from "../backends/vhd/_build_vhd.ts";
import {
  buildVhdx,
  sealVhdx,
  VHDX_AT,
  type VhdxPlan,
} from "../backends/vhdx/_build_vhdx.ts";

/** An image that is damaged, in the file `disk`. */
export interface FuzzCase {
  build(): Uint8Array<ArrayBuffer>;
  /**
   * Makes its checks right again, so that what they guard is reached.
   *
   * @param touch Is told of each range before it is changed.
   */
  seal?(
    bytes: Uint8Array<ArrayBuffer>,
    touch: (at: number, length: number) => void,
  ): void;
  readonly source: string;
  readonly options?: Partial<ImageOptions>;
  /** The files that it refers to. */
  readonly others?: Readonly<Record<string, Uint8Array>>;
  /** Damages it in a way of its own; left out for bytes at `places`. */
  damage?(bytes: Uint8Array, random: Random): Uint8Array<ArrayBuffer>;
  /** Where it is damaged: starts and lengths, each as often as any other. */
  readonly places: readonly (readonly [number, number])[];
}

const VHD_SIZE = 40_960;
const VHD_PLACES = [
  [0, 90],
  [VHD_AT.HEADER, 70],
  [VHD_AT.HEADER + 576, 24],
  [VHD_AT.LOCATOR, 24],
  [VHD_AT.TABLE, 40],
  [2560, 9000],
] as const;
const VHD_OTHERS = {
  "base.vhd": buildVhd({ size: VHD_SIZE, kind: "dynamic", id: 7 }),
};

const VHDX_SIZE = 1_048_576 + 8192;
const VHDX_PLACES = [
  [VHDX_AT.HEADERS[0], 80],
  [VHDX_AT.HEADERS[1], 80],
  [VHDX_AT.REGIONS[0], 80],
  [VHDX_AT.METADATA, 240],
  [VHDX_AT.METADATA + 65_536, 60],
  [VHDX_AT.TABLE, 24],
] as const;
const VHDX_ID = "0b0b0b0b-0b0b-0b0b-0b0b-0b0b0b0b0b0b";
const sector = new Uint8Array(4096).fill(5);
const VHDX_LOG: VhdxPlan["log"] = [
  {
    sequence: 4n,
    changes: [{ offset: VHDX_AT.BLOCKS, data: sector }],
  },
  {
    sequence: 5n,
    lastSize: 8 << 20,
    changes: [
      { offset: VHDX_AT.BLOCKS + 4096, length: 8192 },
      { offset: VHDX_AT.BLOCKS + 8192, data: sector },
    ],
  },
];

function vhdx(
  plan: Omit<VhdxPlan, "size">,
  more: FuzzCase["places"] = [],
): FuzzCase {
  return {
    build: () => buildVhdx({ ...plan, size: VHDX_SIZE }),
    seal: sealVhdx,
    source: "vhdx:disk",
    places: [...VHDX_PLACES, ...more],
  };
}

const SECTORS = 600;

/** The images of each kind but qcow2. */
export const MAPPED_CASES = {
  vhd: [
    {
      build: () =>
        buildVhd({
          size: VHD_SIZE,
          kind: "dynamic",
          hasBlock: (i) => i % 3 > 0,
        }),
      seal: sealVhd,
      source: "vhd:disk",
      places: VHD_PLACES,
    },
    {
      build: () => buildVhd({ size: VHD_SIZE, kind: "fixed" }),
      seal: sealVhd,
      source: "vhd:disk",
      places: [[VHD_SIZE, 90]],
    },
    {
      build: () =>
        buildVhd({
          size: VHD_SIZE,
          kind: "differencing",
          parentId: 7,
          relativePath: ".\\base.vhd",
          hasSector: (i) => i % 3 === 0,
        }),
      seal: sealVhd,
      source: "vhd:disk",
      others: VHD_OTHERS,
      places: VHD_PLACES,
    },
  ],
  vhdx: [
    vhdx({}),
    vhdx({ log: VHDX_LOG }, [
      [VHDX_AT.LOG, 100],
      [VHDX_AT.LOG, 8300],
      [VHDX_AT.LOG + 8192, 200],
    ]),
    {
      ...vhdx({
        parent: { "parent_linkage": VHDX_ID, "relative_path": "base.vhdx" },
        stateOf: (i) => 6 + i % 2,
        hasSector: (i) => i % 3 === 0,
      }, [
        [VHDX_AT.METADATA + 65_580, 300],
        [VHDX_AT.TABLE + 8 * 4096, 8],
        [VHDX_AT.BLOCKS, 600],
      ]),
      others: {
        "base.vhdx": buildVhdx({ size: VHDX_SIZE, dataWriteId: 0x0b }),
      },
    },
  ],
  partitions: [
    {
      build: buildLogical,
      source: "disk",
      options: { partition: "6" },
      places: [[446, 66], [100 * 512 + 446, 66], [200 * 512 + 446, 66]],
    },
    ...[512, 4096].map((sectorSize): FuzzCase => ({
      build: () =>
        buildGpt({
          sectors: SECTORS,
          sectorSize,
          entries: [
            { first: 100, last: 199, name: "data" },
            { first: 200, last: 299 },
          ],
        }),
      seal: (bytes, touch) => sealGpt(bytes, sectorSize, touch),
      source: "disk",
      options: { partition: "data" },
      places: [
        [446, 66],
        [sectorSize, 92],
        [2 * sectorSize, 260],
        [(SECTORS - 1) * sectorSize, 92],
      ],
    })),
  ],
} as const satisfies Record<string, readonly FuzzCase[]>;

/** A disk with three logical partitions. */
function buildLogical(): Uint8Array<ArrayBuffer> {
  const disk = new Uint8Array(SECTORS * 512).fill(0x5a);
  const linux = (start: number) => ({ type: 0x83, start, length: 50 });
  const next = (start: number) => ({ type: 5, start, length: 99 });
  disk.set(buildMbr([linux(10), { type: 5, start: 100, length: 400 }]));
  disk.set(buildMbr([linux(1), next(100)]), 100 * 512);
  disk.set(buildMbr([linux(1), next(200)]), 200 * 512);
  disk.set(buildMbr([linux(1)]), 300 * 512);
  return disk;
}
